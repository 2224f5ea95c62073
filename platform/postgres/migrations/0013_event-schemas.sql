CREATE TABLE "event_schema_versions" (
	"client_id" text NOT NULL,
	"event_type" text NOT NULL,
	"version" integer NOT NULL,
	"schema" jsonb NOT NULL,
	"hash" text NOT NULL,
	"compatibility" text NOT NULL,
	"compatible_from" integer NOT NULL,
	"in_force_from" timestamp with time zone NOT NULL,
	"note" text,
	"actor" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_schema_versions_client_id_event_type_version_pk" PRIMARY KEY("client_id","event_type","version")
);
--> statement-breakpoint
CREATE TABLE "event_schemas" (
	"client_id" text NOT NULL,
	"event_type" text NOT NULL,
	"current_version" integer NOT NULL,
	"mode" text NOT NULL,
	"mode_from" timestamp with time zone NOT NULL,
	"mode_before" text NOT NULL,
	"compatibility" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_schemas_client_id_event_type_pk" PRIMARY KEY("client_id","event_type")
);
--> statement-breakpoint
ALTER TABLE "event_schema_versions" ADD CONSTRAINT "event_schema_versions_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "event_schemas" ADD CONSTRAINT "event_schemas_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "event_schemas_changed" ON "event_schemas" USING btree ("changed_at");