CREATE TABLE "backfills" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"is_dry_run" boolean NOT NULL,
	"mapping" jsonb NOT NULL,
	"rate_per_second" integer NOT NULL,
	"note" text,
	"path" text,
	"file_name" text,
	"file_bytes" bigint NOT NULL,
	"is_packed" boolean,
	"data_bytes" bigint,
	"data_rows" bigint,
	"data_digest" text,
	"data_changed_ms" bigint,
	"position" jsonb NOT NULL,
	"read" bigint DEFAULT 0 NOT NULL,
	"accepted" bigint DEFAULT 0 NOT NULL,
	"rejected" bigint DEFAULT 0 NOT NULL,
	"rejects" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"rejects_bytes" bigint DEFAULT 0 NOT NULL,
	"reject_groups" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"failure" jsonb,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"files_removed_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "backfills" ADD CONSTRAINT "backfills_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "backfills_client" ON "backfills" USING btree ("client_id","created_at");