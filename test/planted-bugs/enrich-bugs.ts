import type { PlantedBug } from "./bug.ts";

/** What becomes of events: taken once, made sense of, kept. */
export const ENRICH_BUGS: readonly PlantedBug[] = [
  {
    name: "future-is-accepted",
    says: "An event of a clock that is hours ahead is taken.",
    file: "platform/intake/check.ts",
    finds: "const latestMs = nowMs + MAX_CLOCK_SKEW_MS;",
    becomes: "const latestMs = nowMs + MAX_CLOCK_SKEW_MS * 24;",
    caughtBy: [{ file: "ingest/bad-input.test.ts", test: "a timestamp of a clock far ahead" }],
  },
  {
    name: "dedupe-forgets-place",
    says: "A batch that is tried again is taken for duplicates of itself, and dropped.",
    file: "analytics/stream/enrich/seen/seen-store.ts",
    finds: "if (place) return !isSame(place, draft.source);",
    becomes: "if (place) return true;",
    caughtBy: [
      {
        file: "analytics/stream/enrich/enricher.test.ts",
        test: "what was remembered before a crash, and not yet passed on, is passed on when the batch comes again",
      },
    ],
  },
  {
    name: "dedupe-over-clients",
    says: "An id that one client has used is a duplicate when another client uses it.",
    file: "analytics/stream/enrich/seen/seen-store.ts",
    finds: `return \`\${minute} \${clientId}\`;`,
    becomes: "return String(minute);",
    caughtBy: [
      {
        file: "analytics/stream/enrich/enricher.test.ts",
        test: "the same id of two clients is two events, also of the same minute",
      },
    ],
  },
  {
    name: "forgotten-minute-stays-blank",
    says: "What is remembered while all is forgotten is missing from the minute that another batch has read anew meanwhile.",
    file: "analytics/stream/enrich/seen/seen-store.ts",
    finds: "await Promise.all([...fresh].map(([name, { entries }]) => tellAnew(name, tables.get(name), entries)));",
    becomes: "",
    caughtBy: [
      {
        file: "analytics/stream/enrich/seen/seen-store.test.ts",
        test: "while all is forgotten, because another shard has come, and a batch is under way > what that batch then remembers is remembered, also where another has read the minute meanwhile",
      },
    ],
  },
  {
    name: "poison-takes-neighbours",
    says: "Of a batch with one poisonous event the first is put aside, and the others are lost.",
    file: "analytics/stream/isolate.ts",
    finds: "if (events.length === 1) return setAside(",
    becomes: "if (events.length >= 1) return setAside(",
    caughtBy: [
      {
        file: "analytics/stream/isolate.test.ts",
        test: "whoever is poisonous is set aside, everyone else is handled once and in order",
      },
    ],
  },
  {
    name: "dead-letter-without-payload",
    says: "A dead letter does not hold the event's bytes.",
    file: "analytics/stream/enrich/enricher.ts",
    finds: "reason, payload: raw, source",
    becomes: "reason, payload: raw.subarray(0, 0), source",
    caughtBy: [
      {
        file: "analytics/stream/enrich/enricher.test.ts",
        test: "an event that a step cannot make sense of is put aside whole, the others go on",
      },
    ],
  },
  {
    name: "older-trait-wins",
    says: "An older word about a person, told later, replaces a newer one.",
    file: "core/profile.ts",
    finds: `  if (before && !isLater(attribute, before)) return known;
`,
    becomes: "",
    caughtBy: [{ file: "core/profile.test.ts", test: "the latest word on a trait counts, in whatever order it comes" }],
  },
  {
    name: "session-ends-by-arrival",
    says: "A session ends with the event that came last, not with the one that happened last.",
    file: "core/session.ts",
    finds: "const ended_at = step.at > before.ended_at ? step.at : before.ended_at;",
    becomes: "const ended_at = step.at;",
    caughtBy: [
      {
        file: "core/session.test.ts",
        test: "an event that comes late, but happened first, is where the session began",
      },
    ],
  },
  {
    name: "write-without-condition",
    says: "An item that somebody else has written meanwhile is written over.",
    file: "platform/user-store.ts",
    finds: '"version = :read"',
    becomes: '"version >= :read"',
    caughtBy: [
      {
        file: "platform/user-store.integration.test.ts",
        test: "the user store on dynalite > a write of what has changed meanwhile is refused",
      },
    ],
  },
  {
    name: "lake-takes-repeats",
    says: "What the enricher put on the stream twice, after a crash, is in the lake twice.",
    file: "analytics/stream/lake/select-rows.ts",
    finds: "if (!isAfterFence(fences, read.lane, read.source)) {",
    becomes: "if (!isAfterFence({}, read.lane, read.source)) {",
    caughtBy: [
      {
        file: "analytics/stream/lake/select-rows.test.ts",
        test: "selectRows > takes every event once, however the producer repeats itself and the batches fall",
      },
    ],
  },
  {
    name: "lake-file-name-by-chance",
    says: "The same range of the stream makes a file of another name the second time.",
    file: "core/lake.ts",
    finds: `\${range.first}_\${range.last}_\${clientMark(clientId)}.parquet\``,
    becomes: `\${range.first}_\${range.last}_\${clientMark(clientId + Math.random())}.parquet\``,
    caughtBy: [{ file: "core/lake.test.ts", test: "file names > tell the range they were made from" }],
  },
  {
    name: "lake-range-not-exact",
    says: "A range that was begun before a crash comes again with what has arrived since.",
    file: "platform/stream/gatherer.ts",
    finds: "pendingLast === null ? dueCount(nowMs, maxBytes) : pendingCount(pendingLast)",
    becomes: "dueCount(nowMs, maxBytes)",
    caughtBy: [
      {
        file: "platform/stream/gatherer.test.ts",
        test: "a range that was begun comes whole and alone, whatever size and time say",
      },
    ],
  },
  {
    name: "schema-strands-what-came-through",
    says: "A schema that was changed between two tries of a batch puts aside what has been passed on already: it can never come back.",
    file: "analytics/stream/enrich/schema.ts",
    finds: `verdict.mode === "observe" || seen.cameThrough(draft)`,
    becomes: `verdict.mode === "observe"`,
    caughtBy: [
      {
        file: "analytics/stream/enrich/schema.test.ts",
        test: "what came through before the schema was changed comes through when its batch is tried again",
      },
    ],
  },
  {
    name: "replay-held-to-old-schema",
    says: "A dead letter that is replayed is judged by the schema of the day it came, however that was mended since.",
    file: "analytics/stream/enrich/schema.ts",
    finds: "replay ? Infinity : receivedAtMs",
    becomes: "receivedAtMs",
    caughtBy: [
      {
        file: "analytics/stream/enrich/schema.test.ts",
        test: "a dead letter that is replayed is held to the latest version, read after it came",
      },
    ],
  },
];
