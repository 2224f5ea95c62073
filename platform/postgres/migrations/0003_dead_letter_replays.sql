CREATE TABLE "dead_letter_replays" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"selection" jsonb NOT NULL,
	"patch" jsonb,
	"rate_per_second" integer NOT NULL,
	"note" text,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"counts" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "kind" text DEFAULT 'poison' NOT NULL;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "event_type" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "provenance" jsonb;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "enrichment" jsonb;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "outcome" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_of" uuid;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_id" uuid;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_place" jsonb;--> statement-breakpoint
ALTER TABLE "dead_letter_replays" ADD CONSTRAINT "dead_letter_replays_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dead_letter_replays_client" ON "dead_letter_replays" USING btree ("client_id","created_at");--> statement-breakpoint
CREATE INDEX "dead_letters_state" ON "dead_letters" USING btree ("client_id","state","created_at");--> statement-breakpoint
CREATE INDEX "dead_letters_replay" ON "dead_letters" USING btree ("replay_id") WHERE replay_id is not null;--> statement-breakpoint
CREATE INDEX "dead_letters_replay_of" ON "dead_letters" USING btree ("replay_of") WHERE replay_of is not null;