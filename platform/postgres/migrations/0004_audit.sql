CREATE TABLE "audits" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"client_id" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone NOT NULL,
	"verdict" text NOT NULL,
	"acknowledged" bigint NOT NULL,
	"received" bigint NOT NULL,
	"in_lake" bigint NOT NULL,
	"dropped" bigint NOT NULL,
	"dead_letters" bigint NOT NULL,
	"in_flight" bigint NOT NULL,
	"unexplained" bigint NOT NULL,
	"deliveries" bigint NOT NULL,
	"unexplained_deliveries" bigint NOT NULL,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "edge_counts" (
	"edge" text NOT NULL,
	"client_id" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"acknowledged" bigint NOT NULL,
	"unsure" bigint NOT NULL,
	"final" boolean NOT NULL,
	"flushed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "edge_counts_edge_client_id_hour_pk" PRIMARY KEY("edge","client_id","hour")
);
--> statement-breakpoint
CREATE INDEX "audits_hour" ON "audits" USING btree ("client_id","hour","at");--> statement-breakpoint
CREATE INDEX "edge_counts_hour" ON "edge_counts" USING btree ("hour","client_id");