CREATE TABLE "analytics"."activity_hourly" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"currency" text NOT NULL,
	"events" bigint NOT NULL,
	"product_views" bigint NOT NULL,
	"add_to_cart" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	CONSTRAINT "activity_hourly_client_id_day_hour_currency_pk" PRIMARY KEY("client_id","day","hour","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."product_category_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"product_id" text NOT NULL,
	"category" text NOT NULL,
	"currency" text NOT NULL,
	"views" bigint NOT NULL,
	"add_to_cart" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"units" numeric(20, 6) NOT NULL,
	"revenue_minor" bigint NOT NULL,
	CONSTRAINT "product_category_daily_client_id_day_product_id_category_currency_pk" PRIMARY KEY("client_id","day","product_id","category","currency")
);
--> statement-breakpoint
CREATE TABLE "analytics"."visitors_daily" (
	"client_id" text NOT NULL,
	"day" date NOT NULL,
	"previous_day" date NOT NULL,
	"source" text NOT NULL,
	"country" text NOT NULL,
	"device" text NOT NULL,
	"persons" integer NOT NULL,
	CONSTRAINT "visitors_daily_client_id_day_previous_day_source_country_device_pk" PRIMARY KEY("client_id","day","previous_day","source","country","device")
);
--> statement-breakpoint
ALTER TABLE "analytics"."person_days" ADD COLUMN "source" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "analytics"."person_days" ADD COLUMN "country" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "analytics"."person_days" ADD COLUMN "device" text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX "product_category_daily_category" ON "analytics"."product_category_daily" USING btree ("client_id","category","day");--> statement-breakpoint
CREATE FUNCTION "refuse_unknown_time_zone"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = NEW.settings ->> 'timezone') THEN
		RAISE EXCEPTION 'settings.timezone "%" is no IANA time zone, such as Asia/Kolkata', NEW.settings ->> 'timezone' USING ERRCODE = '22023';
	END IF;
	RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER "clients_time_zone" BEFORE INSERT OR UPDATE OF "settings" ON "clients"
FOR EACH ROW WHEN (NEW.settings ->> 'timezone' IS NOT NULL) EXECUTE FUNCTION "refuse_unknown_time_zone"();
