CREATE TABLE "activities" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"contact_id" uuid,
	"person_key" text NOT NULL,
	"type" text NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"ts" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"client_id" text NOT NULL,
	"key_hash" text NOT NULL,
	"prefix" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"client_id" text NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"request_id" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "campaign_versions" (
	"client_id" text NOT NULL,
	"campaign_id" text NOT NULL,
	"version" integer NOT NULL,
	"hash" text NOT NULL,
	"source" jsonb NOT NULL,
	"journey" jsonb NOT NULL,
	"published_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "campaign_versions_client_id_campaign_id_version_pk" PRIMARY KEY("client_id","campaign_id","version")
);
--> statement-breakpoint
CREATE TABLE "campaigns" (
	"client_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"state" text NOT NULL,
	"draft" jsonb NOT NULL,
	"current_version" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "campaigns_client_id_id_pk" PRIMARY KEY("client_id","id")
);
--> statement-breakpoint
CREATE TABLE "clients" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contacts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"person_key" text NOT NULL,
	"user_id" text,
	"email" text,
	"phone" text,
	"name" text,
	"push_token" text,
	"locale" text,
	"timezone" text,
	"attributes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"source" text DEFAULT 'event' NOT NULL,
	"traits_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text,
	"stage" text NOT NULL,
	"reason" text NOT NULL,
	"event_id" text,
	"payload" "bytea" NOT NULL,
	"source_shard" text NOT NULL,
	"source_sequence" text NOT NULL,
	"source_index" integer NOT NULL,
	"attempts" integer NOT NULL,
	"history" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"campaign_id" text NOT NULL,
	"version" integer NOT NULL,
	"run_id" uuid NOT NULL,
	"node_id" text NOT NULL,
	"person_key" text NOT NULL,
	"contact_id" uuid,
	"channel" text NOT NULL,
	"template" text NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"provider" text,
	"provider_message_id" text,
	"handover" jsonb,
	"attempts" integer DEFAULT 0 NOT NULL,
	"unannounced" text[] DEFAULT '{}' NOT NULL,
	"request_id" text NOT NULL,
	"opened_at" timestamp with time zone,
	"clicked_at" timestamp with time zone,
	"history" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dropped_events" (
	"source_sequence" text NOT NULL,
	"source_index" integer NOT NULL,
	"source_shard" text NOT NULL,
	"client_id" text NOT NULL,
	"event_id" text NOT NULL,
	"stage" text NOT NULL,
	"reason" text NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	CONSTRAINT "dropped_events_source_sequence_source_index_source_shard_pk" PRIMARY KEY("source_sequence","source_index","source_shard")
);
--> statement-breakpoint
CREATE TABLE "journey_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"campaign_id" text NOT NULL,
	"version" integer NOT NULL,
	"workflow_id" text NOT NULL,
	"person_key" text NOT NULL,
	"person_keys" text[] NOT NULL,
	"entry_key" text DEFAULT '' NOT NULL,
	"entry_event_id" text NOT NULL,
	"entry_event_type" text DEFAULT '' NOT NULL,
	"entry_props" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"request_id" text NOT NULL,
	"state" text DEFAULT 'active' NOT NULL,
	"reason" text,
	"stopped_by_event_id" text,
	"node_id" text,
	"entered_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "lake_files" (
	"path" text PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"partition" text NOT NULL,
	"rows" bigint NOT NULL,
	"bytes" bigint NOT NULL,
	"compacted_into" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "templates" (
	"client_id" text NOT NULL,
	"channel" text NOT NULL,
	"name" text NOT NULL,
	"subject" text,
	"body" text NOT NULL,
	"content_sid" text,
	"content_variables" jsonb,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "templates_client_id_channel_name_pk" PRIMARY KEY("client_id","channel","name")
);
--> statement-breakpoint
ALTER TABLE "activities" ADD CONSTRAINT "activities_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaign_versions" ADD CONSTRAINT "campaign_versions_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaign_versions" ADD CONSTRAINT "campaign_versions_client_id_campaign_id_campaigns_client_id_id_fk" FOREIGN KEY ("client_id","campaign_id") REFERENCES "public"."campaigns"("client_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_run_id_journey_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."journey_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "journey_runs" ADD CONSTRAINT "journey_runs_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "templates" ADD CONSTRAINT "templates_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "activities_contact" ON "activities" USING btree ("client_id","contact_id","ts");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("key_hash");--> statement-breakpoint
CREATE INDEX "api_keys_client" ON "api_keys" USING btree ("client_id");--> statement-breakpoint
CREATE INDEX "audit_log_client" ON "audit_log" USING btree ("client_id","at");--> statement-breakpoint
CREATE UNIQUE INDEX "contacts_person" ON "contacts" USING btree ("client_id","person_key");--> statement-breakpoint
CREATE INDEX "contacts_email" ON "contacts" USING btree ("client_id","email");--> statement-breakpoint
CREATE INDEX "contacts_phone" ON "contacts" USING btree ("client_id","phone");--> statement-breakpoint
CREATE INDEX "dead_letters_open" ON "dead_letters" USING btree ("client_id","stage","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_run_node" ON "deliveries" USING btree ("run_id","node_id");--> statement-breakpoint
CREATE INDEX "deliveries_campaign" ON "deliveries" USING btree ("client_id","campaign_id","created_at");--> statement-breakpoint
CREATE INDEX "deliveries_provider" ON "deliveries" USING btree ("provider","provider_message_id");--> statement-breakpoint
CREATE INDEX "deliveries_unannounced" ON "deliveries" USING btree ("updated_at") WHERE unannounced <> '{}';--> statement-breakpoint
CREATE INDEX "deliveries_unsettled" ON "deliveries" USING btree ("updated_at") WHERE state in ('reserved', 'submitting', 'unknown');--> statement-breakpoint
CREATE INDEX "dropped_events_client" ON "dropped_events" USING btree ("client_id","received_at");--> statement-breakpoint
CREATE INDEX "journey_runs_campaign" ON "journey_runs" USING btree ("client_id","campaign_id","entered_at");--> statement-breakpoint
CREATE INDEX "journey_runs_workflow" ON "journey_runs" USING btree ("client_id","workflow_id");--> statement-breakpoint
CREATE UNIQUE INDEX "journey_runs_open_workflow" ON "journey_runs" USING btree ("workflow_id") WHERE state in ('active', 'held');--> statement-breakpoint
CREATE INDEX "journey_runs_open_keys" ON "journey_runs" USING gin ("person_keys") WHERE state in ('active', 'held');--> statement-breakpoint
CREATE INDEX "lake_files_partition" ON "lake_files" USING btree ("client_id","partition");