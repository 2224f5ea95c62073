CREATE TABLE "analytics"."campaign_arms" (
	"client_id" text NOT NULL,
	"campaign_id" text NOT NULL,
	"day" date NOT NULL,
	"arm" text NOT NULL,
	"persons" integer NOT NULL,
	"buyers" integer NOT NULL,
	"revenue" jsonb NOT NULL,
	CONSTRAINT "campaign_arms_client_id_campaign_id_day_arm_pk" PRIMARY KEY("client_id","campaign_id","day","arm")
);
--> statement-breakpoint
CREATE TABLE "analytics"."campaign_performance" (
	"client_id" text NOT NULL,
	"campaign_id" text NOT NULL,
	"day" date NOT NULL,
	"channel" text NOT NULL,
	"messages" integer NOT NULL,
	"sent" integer NOT NULL,
	"delivered" integer NOT NULL,
	"opened" integer NOT NULL,
	"clicked" integer NOT NULL,
	"failed" integer NOT NULL,
	"unknown" integer NOT NULL,
	"skipped" integer NOT NULL,
	"under_way" integer NOT NULL,
	"reasons" jsonb NOT NULL,
	"attributed_orders" integer NOT NULL,
	"attributed_revenue" jsonb NOT NULL,
	CONSTRAINT "campaign_performance_client_id_campaign_id_day_channel_pk" PRIMARY KEY("client_id","campaign_id","day","channel")
);
--> statement-breakpoint
CREATE TABLE "analytics"."experiment_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"experiment_id" text NOT NULL,
	"variant" text NOT NULL,
	"kind" text NOT NULL,
	"currency" text NOT NULL,
	"persons" bigint NOT NULL,
	"converted" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"revenue_squares" double precision NOT NULL,
	CONSTRAINT "experiment_daily_client_id_experiment_id_day_variant_kind_currency_pk" PRIMARY KEY("client_id","experiment_id","day","variant","kind","currency")
);
--> statement-breakpoint
CREATE TABLE "experiments" (
	"client_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"variants" jsonb NOT NULL,
	"metric" jsonb NOT NULL,
	"window_ms" bigint NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "experiments_client_id_id_pk" PRIMARY KEY("client_id","id")
);
--> statement-breakpoint
ALTER TABLE "journey_runs" ADD COLUMN "arm" text;--> statement-breakpoint
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE no action ON UPDATE no action;