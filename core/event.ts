import { z } from "zod";

import { parseTimestamp } from "./timestamp.ts";

/** The most events that one request may carry. */
export const MAX_BATCH = 100;
/** How far ahead of our clock a timestamp may lie before it is refused. Nearer ones are set to the time of receipt. */
export const MAX_CLOCK_SKEW_MS = 60 * 60 * 1000;
/** How deep an event may nest, itself included. */
export const MAX_DEPTH = 32;
/** The largest event, in bytes as sent. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** The longest identifier: user, anonymous, session, client. */
export const MAX_ID_LENGTH = 256;
export const MAX_EVENT_TYPE_LENGTH = 128;

/** Identifiers become keys in every store, and not every store takes control characters or halves of characters. */
// oxlint-disable-next-line no-control-regex -- they are what it keeps out
export const ID_PATTERN = /^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]+$/u;
const text = (max: number) =>
  z.string().min(1).max(max).regex(ID_PATTERN, "control characters and unpaired surrogates are not allowed");
const id = text(MAX_ID_LENGTH);

/** The canonical event, as clients send it (integration manual, section 3). Unknown fields are kept, not read. */
export const eventSchema = z
  .looseObject({
    event_id: z.guid().meta({ description: "A UUID. The same id is counted once, however often it is sent." }),
    timestamp: z.iso
      .datetime({ offset: true })
      .refine((timestamp) => !(parseTimestamp(timestamp) < 0), "before 1970")
      .meta({ description: "When it happened: ISO 8601 with a zone. More than an hour ahead is refused." }),
    client_id: id.meta({ description: "The tenant; the same as in the X-Client-Id header." }),
    user_id: id.nullish().meta({ description: "Who, once known." }),
    anon_id: id.nullish().meta({ description: "The device or browser, before and after log-in." }),
    session_id: id.nullish().meta({ description: "Order is kept within a session." }),
    event_type: text(MAX_EVENT_TYPE_LENGTH),
    props: z.record(z.string(), z.unknown()).nullish(),
    context: z.record(z.string(), z.unknown()).nullish(),
  })
  .refine((event) => event.user_id ?? event.anon_id ?? event.session_id, {
    path: ["session_id"],
    error: "one of session_id, anon_id and user_id is required",
    // Also where other things are wrong: the sender learns of every fault at once.
    when: ({ value }) => typeof value === "object" && value !== null,
  })
  .meta({ id: "Event" });

export type Event = z.infer<typeof eventSchema>;

/** What keeps its order: the session, or failing that the device, or the user. */
export function partitionKeyOf(event: Pick<Event, "session_id" | "anon_id" | "user_id" | "event_id">): string {
  return event.session_id ?? event.anon_id ?? event.user_id ?? event.event_id;
}

/** The props of `event_type: "identify"` that are traits of a person with a meaning of their own. */
export const CONTACT_TRAITS = ["email", "phone", "name", "push_token", "locale", "timezone"] as const;
