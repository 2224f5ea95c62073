import { z } from "zod";

const MAX_WAIT_MS = 366 * 86_400_000;

export const nodeIdSchema = () =>
  z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, _ . - and at most 64 of them")
    .meta({ description: "The id of a node of the same journey." });

export const durationMsSchema = () => z.number().int().min(0).max(MAX_WAIT_MS);
