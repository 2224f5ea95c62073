CREATE TABLE "analytics"."answers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"kind" text NOT NULL,
	"params" jsonb NOT NULL,
	"data_version" text NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"progress" integer DEFAULT 0 NOT NULL,
	"answer" jsonb,
	"fault" text,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"answered_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "analytics"."cohort_retention" (
	"client_id" text NOT NULL,
	"cohort_by" text NOT NULL,
	"period" text NOT NULL,
	"cohort" date NOT NULL,
	"age" integer NOT NULL,
	"persons" integer NOT NULL,
	"revenue" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "cohort_retention_client_id_cohort_by_period_cohort_age_pk" PRIMARY KEY("client_id","cohort_by","period","cohort","age")
);
--> statement-breakpoint
CREATE TABLE "analytics"."customer_ltv" (
	"client_id" text NOT NULL,
	"person" text NOT NULL,
	"currency" text NOT NULL,
	"orders" integer NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"average_order_minor" bigint NOT NULL,
	"first_day" date NOT NULL,
	"last_day" date NOT NULL,
	"purchase_days" integer NOT NULL,
	"purchase_frequency" double precision,
	"probability_alive" double precision,
	"expected_purchases" double precision,
	"expected_average_minor" double precision,
	"predicted_minor" double precision,
	CONSTRAINT "customer_ltv_client_id_person_currency_pk" PRIMARY KEY("client_id","person","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."ltv_models" (
	"client_id" text NOT NULL,
	"currency" text NOT NULL,
	"observed_until" date NOT NULL,
	"customers" integer NOT NULL,
	"bg_nbd" jsonb,
	"gamma_gamma" jsonb,
	"built_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ltv_models_client_id_currency_pk" PRIMARY KEY("client_id","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."person_days" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"person" text NOT NULL,
	"events" bigint NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"last_source" text,
	CONSTRAINT "person_days_client_id_day_person_pk" PRIMARY KEY("client_id","day","person")
);
--> statement-breakpoint
CREATE TABLE "analytics"."purchases" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"event_id" text NOT NULL,
	"person" text NOT NULL,
	"order_id" text,
	"at" timestamp with time zone NOT NULL,
	"currency" text NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"source" text,
	CONSTRAINT "purchases_client_id_day_event_id_pk" PRIMARY KEY("client_id","day","event_id")
);
--> statement-breakpoint
CREATE INDEX "answers_client" ON "analytics"."answers" USING btree ("client_id","asked_at");--> statement-breakpoint
CREATE INDEX "customer_ltv_value" ON "analytics"."customer_ltv" USING btree ("client_id","currency","predicted_minor","person");--> statement-breakpoint
CREATE INDEX "person_days_person" ON "analytics"."person_days" USING btree ("client_id","person","day");--> statement-breakpoint
CREATE INDEX "purchases_person" ON "analytics"."purchases" USING btree ("client_id","person","day");