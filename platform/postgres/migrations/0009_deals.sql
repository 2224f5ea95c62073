CREATE TABLE "companies" (
	"client_id" text NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"domain" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "companies_client_id_id_pk" PRIMARY KEY("client_id","id")
);
--> statement-breakpoint
CREATE TABLE "deal_changes" (
	"client_id" text NOT NULL,
	"deal_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"pipeline_id" text NOT NULL,
	"stage" text NOT NULL,
	"owner" text,
	"source" text,
	"amount_minor" bigint,
	"currency" text,
	"expected_close" date,
	"reason" text,
	CONSTRAINT "deal_changes_client_id_deal_id_version_pk" PRIMARY KEY("client_id","deal_id","version")
);
--> statement-breakpoint
CREATE TABLE "deals" (
	"client_id" text NOT NULL,
	"id" uuid NOT NULL,
	"version" integer NOT NULL,
	"title" text NOT NULL,
	"contact_id" uuid NOT NULL,
	"company_id" uuid,
	"product_id" text,
	"pipeline_id" text NOT NULL,
	"stage" text NOT NULL,
	"owner" text,
	"source" text,
	"amount_minor" bigint,
	"currency" text,
	"expected_close" date,
	"reason" text,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "deals_client_id_id_pk" PRIMARY KEY("client_id","id")
);
--> statement-breakpoint
CREATE TABLE "pipeline_stages" (
	"client_id" text NOT NULL,
	"pipeline_id" text NOT NULL,
	"stage" text NOT NULL,
	"name" text NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"probability" double precision NOT NULL,
	CONSTRAINT "pipeline_stages_client_id_pipeline_id_stage_pk" PRIMARY KEY("client_id","pipeline_id","stage")
);
--> statement-breakpoint
CREATE TABLE "pipelines" (
	"client_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"is_default" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipelines_client_id_id_pk" PRIMARY KEY("client_id","id")
);
--> statement-breakpoint
CREATE TABLE "event_outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "event_outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"client_id" text NOT NULL,
	"event" jsonb NOT NULL,
	"request_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "companies" ADD CONSTRAINT "companies_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deal_changes" ADD CONSTRAINT "deal_changes_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deal_changes" ADD CONSTRAINT "deal_changes_client_id_deal_id_deals_client_id_id_fk" FOREIGN KEY ("client_id","deal_id") REFERENCES "public"."deals"("client_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deals" ADD CONSTRAINT "deals_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deals" ADD CONSTRAINT "deals_contact_id_contacts_id_fk" FOREIGN KEY ("contact_id") REFERENCES "public"."contacts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deals" ADD CONSTRAINT "deals_stage_fk" FOREIGN KEY ("client_id","pipeline_id","stage") REFERENCES "public"."pipeline_stages"("client_id","pipeline_id","stage") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deals" ADD CONSTRAINT "deals_client_id_company_id_companies_client_id_id_fk" FOREIGN KEY ("client_id","company_id") REFERENCES "public"."companies"("client_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipeline_stages" ADD CONSTRAINT "pipeline_stages_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipeline_stages" ADD CONSTRAINT "pipeline_stages_client_id_pipeline_id_pipelines_client_id_id_fk" FOREIGN KEY ("client_id","pipeline_id") REFERENCES "public"."pipelines"("client_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "event_outbox" ADD CONSTRAINT "event_outbox_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "companies_created" ON "companies" USING btree ("client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "deals_created" ON "deals" USING btree ("client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "deals_stage" ON "deals" USING btree ("client_id","pipeline_id","stage");--> statement-breakpoint
CREATE INDEX "deals_contact" ON "deals" USING btree ("client_id","contact_id");--> statement-breakpoint
CREATE INDEX "event_outbox_client" ON "event_outbox" USING btree ("client_id","id");