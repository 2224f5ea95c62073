import { defineConfig } from "drizzle-kit";

/** `npm run migrations` writes the next migration from what changed in the schema. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./platform/postgres/schema.ts",
  out: "./platform/postgres/migrations",
});
