import { text } from "drizzle-orm/pg-core";

import { clients } from "./clients.ts";

/** Whose row it is: every table has it. */
export const clientId = () =>
  text("client_id")
    .notNull()
    .references(() => clients.id);
