import type { PlantedBug } from "./bug.ts";

/** What goes out, and what is told of it. */
export const DELIVERY_BUGS: readonly PlantedBug[] = [
  {
    name: "reservation-without-fence",
    says: "A message is reserved without a look at whether its run may still send.",
    file: "delivery/ledger.ts",
    finds: "and r.state = 'active' and c.state = 'active'",
    becomes: "and (r.state = 'active' or true) and (c.state = 'active' or true)",
    caughtBy: [
      {
        file: "delivery/ledger.integration.test.ts",
        test: "of a run that is stopped by now nothing is to be had",
      },
    ],
  },
  {
    name: "unknown-is-sent-again",
    says: "A message of which nobody can tell whether it arrived is sent again.",
    file: "delivery/reconcile.ts",
    finds: "if (found && ageMs > graceMs) {",
    becomes: "if (ageMs > graceMs) {",
    caughtBy: [
      {
        file: "delivery/reconcile.integration.test.ts",
        test: "where the provider does not know what became of a message, it stays unknown and is not sent again",
      },
    ],
  },
  {
    name: "quota-fails-open",
    says: "While the counts are out of reach everything goes out.",
    file: "delivery/quotas.ts",
    finds:
      '    throw new AppError("unavailable", "The quotas are out of reach.", { cause: error, retryAfterMs: 2_000 });',
    becomes: `    void new AppError("unavailable", "The quotas are out of reach.", { cause: error, retryAfterMs: 2_000 });
    return 0 as T;`,
    caughtBy: [
      {
        file: "delivery/quotas.test.ts",
        test: "no count, no message: while Redis is away there is no quota to be had",
      },
    ],
  },
  {
    name: "webhook-is-not-verified",
    says: "What anybody posts is taken for Twilio's word.",
    file: "delivery/webhooks/twilio.ts",
    finds: "if (!isTwilios) throw",
    becomes: 'if (!isTwilios && signature === "") throw',
    caughtBy: [
      {
        file: "delivery/webhooks/signature.test.ts",
        test: "Twilio's status callback with a field that was changed is forbidden",
      },
    ],
  },
  {
    name: "webhook-counts-twice",
    says: "A report that comes again is news again.",
    file: "core/delivery.ts",
    finds: "const isNews = !row.history.some((past) => past.state === receipt.kind);",
    becomes: "const isNews = row.history.length >= 0;",
    caughtBy: [
      {
        file: "core/delivery.test.ts",
        test: "the ledger of a message > announces everything it writes but a release, once",
      },
    ],
  },
  {
    name: "tenant-is-not-asked",
    says: "A message may go to another client's contact of the same user id.",
    file: "delivery/facts.ts",
    finds: ".where(and(eq(contacts.client_id, client_id), inArray(contacts.person_key, run.person_keys))),",
    becomes: ".where(and(inArray(contacts.person_key, run.person_keys))),",
    caughtBy: [
      {
        file: "delivery/facts.integration.test.ts",
        test: "another client's contact of the same user id is nobody to write to",
      },
    ],
  },
  {
    name: "template-does-not-escape",
    says: "What a shop sends gets into a mail as markup.",
    file: "delivery/render.ts",
    finds: 'const html = createEngine("escape");',
    becomes: "const html = createEngine();",
    caughtBy: [{ file: "delivery/render.test.ts", test: "rendering > escapes in HTML, and nowhere else" }],
  },
];
