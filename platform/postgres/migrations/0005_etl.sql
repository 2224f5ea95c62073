CREATE SCHEMA "analytics";
--> statement-breakpoint
CREATE TABLE "analytics"."builds" (
	"client_id" text NOT NULL,
	"aggregate" text NOT NULL,
	"day" date NOT NULL,
	"digest" text NOT NULL,
	"sources" jsonb NOT NULL,
	"rows" integer NOT NULL,
	"built_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "builds_client_id_aggregate_day_pk" PRIMARY KEY("client_id","aggregate","day")
);
--> statement-breakpoint
CREATE TABLE "analytics"."category_performance_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"category" text NOT NULL,
	"currency" text NOT NULL,
	"views" bigint NOT NULL,
	"add_to_cart" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"units" numeric(20, 6) NOT NULL,
	"revenue_minor" bigint NOT NULL,
	CONSTRAINT "category_performance_daily_client_id_day_category_currency_pk" PRIMARY KEY("client_id","day","category","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."product_performance_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"product_id" text NOT NULL,
	"currency" text NOT NULL,
	"views" bigint NOT NULL,
	"add_to_cart" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"units" numeric(20, 6) NOT NULL,
	"revenue_minor" bigint NOT NULL,
	CONSTRAINT "product_performance_daily_client_id_day_product_id_currency_pk" PRIMARY KEY("client_id","day","product_id","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."sessions_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"source" text NOT NULL,
	"country" text NOT NULL,
	"device" text NOT NULL,
	"is_bot" boolean NOT NULL,
	"sessions" bigint NOT NULL,
	"engaged" bigint NOT NULL,
	"viewed" bigint NOT NULL,
	"carted" bigint NOT NULL,
	"purchased" bigint NOT NULL,
	"events" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"duration_ms" bigint NOT NULL,
	CONSTRAINT "sessions_daily_client_id_day_source_country_device_is_bot_pk" PRIMARY KEY("client_id","day","source","country","device","is_bot")
);
--> statement-breakpoint
CREATE TABLE "etl_clients" (
	"client_id" text PRIMARY KEY NOT NULL,
	"repeats_version" integer DEFAULT 0 NOT NULL,
	"links_version" integer DEFAULT 0 NOT NULL,
	"as_of" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "etl_partitions" (
	"client_id" text NOT NULL,
	"partition" text NOT NULL,
	"ids_digest" text DEFAULT '' NOT NULL,
	"ids_version" integer DEFAULT 0 NOT NULL,
	"files" integer DEFAULT 0 NOT NULL,
	"is_settled" boolean DEFAULT false NOT NULL,
	"is_disturbed" boolean DEFAULT false NOT NULL,
	"built_digest" text DEFAULT '' NOT NULL,
	"version" integer DEFAULT 0 NOT NULL,
	"people_version" integer DEFAULT 0 NOT NULL,
	"raw_rows" bigint DEFAULT 0 NOT NULL,
	"curated_rows" bigint DEFAULT 0 NOT NULL,
	"repeated_rows" bigint DEFAULT 0 NOT NULL,
	"rejected_rows" bigint DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"checks" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"built_at" timestamp with time zone,
	CONSTRAINT "etl_partitions_client_id_partition_pk" PRIMARY KEY("client_id","partition")
);
--> statement-breakpoint
CREATE TABLE "etl_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"workflow_id" text NOT NULL,
	"start_at" timestamp with time zone,
	"end_at" timestamp with time zone,
	"rebuild" boolean DEFAULT false NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"progress" jsonb NOT NULL,
	"checks" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "etl_runs" ADD CONSTRAINT "etl_runs_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "etl_runs_client" ON "etl_runs" USING btree ("client_id","created_at");