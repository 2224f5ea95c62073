import { z } from "zod";

import { DAY_MS } from "../../time.ts";
const MAX_WAIT_MS = 366 * DAY_MS;

export const nodeIdSchema = () =>
  z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, _ . - and at most 64 of them")
    .meta({ description: "The id of a node of the same journey." });

export const durationMsSchema = () => z.number().int().min(0).max(MAX_WAIT_MS);
