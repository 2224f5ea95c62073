/** A version of the canonical event (integration manual, section 3): the same for all clients. */
interface CanonicalVersion {
  version: number;
  /** JSON Schema 2020-12, as it was generated from `eventSchema` when the version was made. */
  schema: Readonly<Record<string, unknown>>;
  /** What JSON Schema does not say. */
  rules: string[];
}

/**
 * Every version there was, oldest first; the last is what the edge holds events to. None of them is ever changed: a change of
 * `eventSchema` is a new one, and the test beside says so. It must take whatever those before it took, since dead letters of any age
 * come back through the edge's check.
 */
export const CANONICAL_VERSIONS: readonly CanonicalVersion[] = [
  {
    version: 1,
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        event_id: {
          type: "string",
          format: "uuid",
          pattern: "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$",
          description: "A UUID. The same id is counted once, however often it is sent.",
        },
        timestamp: {
          type: "string",
          format: "date-time",
          pattern:
            "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$",
          description: "When it happened: ISO 8601 with a zone. More than an hour ahead is refused.",
        },
        client_id: {
          type: "string",
          minLength: 1,
          maxLength: 256,
          pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$",
          description: "The tenant; the same as in the X-Client-Id header.",
        },
        user_id: {
          description: "Who, once known.",
          anyOf: [
            {
              type: "string",
              minLength: 1,
              maxLength: 256,
              pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$",
            },
            { type: "null" },
          ],
        },
        anon_id: {
          description: "The device or browser, before and after log-in.",
          anyOf: [
            {
              type: "string",
              minLength: 1,
              maxLength: 256,
              pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$",
            },
            { type: "null" },
          ],
        },
        session_id: {
          description: "Order is kept within a session.",
          anyOf: [
            {
              type: "string",
              minLength: 1,
              maxLength: 256,
              pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$",
            },
            { type: "null" },
          ],
        },
        event_type: {
          type: "string",
          minLength: 1,
          maxLength: 128,
          pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$",
        },
        props: {
          anyOf: [{ type: "object", propertyNames: { type: "string" }, additionalProperties: {} }, { type: "null" }],
        },
        context: {
          anyOf: [{ type: "object", propertyNames: { type: "string" }, additionalProperties: {} }, { type: "null" }],
        },
      },
      required: ["event_id", "timestamp", "client_id", "event_type"],
      additionalProperties: {},
    },
    rules: [
      "One of session_id, anon_id and user_id is there.",
      "timestamp is not before 1970, and not more than an hour ahead.",
      "Fields without a name here are kept, and not read.",
      "No key is named __proto__, and nothing nests deeper than 32.",
      "An event is 262144 bytes at the most.",
    ],
  },
];
