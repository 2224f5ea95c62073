CREATE TABLE "analytics"."funnel_hourly" (
	"client_id" text NOT NULL,
	"funnel" text NOT NULL,
	"grain" text NOT NULL,
	"step" integer NOT NULL,
	"entered" timestamp with time zone NOT NULL,
	"entered_before" timestamp with time zone NOT NULL,
	"units" bigint NOT NULL,
	CONSTRAINT "funnel_hourly_client_id_funnel_grain_step_entered_entered_before_pk" PRIMARY KEY("client_id","funnel","grain","step","entered","entered_before")
);
