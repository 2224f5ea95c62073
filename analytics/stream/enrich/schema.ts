import {
  describeVerdict,
  judgeProps,
  type SchemaMode,
  type Verdict,
} from "../../../core/event-schema/registered-schema.ts";
import { addViolation, type ViolationHour } from "../../../core/event-schema/violations.ts";
import { violationExpiry, violationKey } from "../../../platform/schema-violations.ts";
import type { SchemaIndex } from "./schema-index.ts";
import { type Draft, OK, type Step } from "./step.ts";

export interface SchemaDeps {
  onMisfit(mode: SchemaMode): void;
}

/**
 * Holds an event's `props` to what its client has registered for its type. What does not fit is counted, once for each place however
 * often the batch is tried; where the schema is enforced it goes no further, and can be mended and replayed.
 */
export function createSchemaStep(schemas: SchemaIndex, { onMisfit }: SchemaDeps): Step {
  const verdicts = new WeakMap<Draft, Verdict>();
  return {
    name: "schema",
    // Who replays has just changed the schema, perhaps.
    prepare: (drafts) => schemas.refresh(drafts.some(({ replay }) => replay !== undefined)),
    needs: [
      (draft) => {
        const verdict = judge(schemas, draft);
        if (verdict === null) return [];
        verdicts.set(draft, verdict);
        return [violationKey(draft.clientId, draft.event.event_type, draft.receivedAtMs)];
      },
    ],
    run(draft, { items, seen }) {
      const verdict = verdicts.get(draft);
      if (verdict === undefined) return OK;
      onMisfit(verdict.mode);
      const { clientId, event, receivedAt, receivedAtMs } = draft;
      const origin = { lane: draft.lane, place: draft.source };
      const violation = { ...verdict, receivedAt, eventId: event.event_id };
      items.changeForGood<ViolationHour>(violationKey(clientId, event.event_type, receivedAtMs), origin, (before) => ({
        data: addViolation(before, violation),
        expiresAt: violationExpiry(receivedAtMs),
      }));
      // What came through before the batch was tried again has been remembered: put aside now, it could never come back.
      if (verdict.mode === "observe" || seen.cameThrough(draft)) return OK;
      return { outcome: "dead_letter", reason: describeVerdict(verdict) };
    },
  };
}

function judge(schemas: SchemaIndex, { clientId, event, receivedAtMs, replay }: Draft): Verdict | null {
  const schema = schemas.find(clientId, event.event_type);
  return schema ? judgeProps(schema, event.props, replay ? Infinity : receivedAtMs) : null;
}
