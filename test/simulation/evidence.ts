import { decodeEnvelope } from "../../core/envelope.ts";
import type { LakeRow } from "./lake.ts";
import type { Effect } from "./providers.ts";
import type { World } from "./world.ts";

/** An event as it lies in the stream "events", at one of its places: what every reader finds there. */
export interface Copy {
  client_id: string;
  event_id: string;
  session_id: string | null;
  event_type: string;
  text: string;
  place: string;
}

export interface DeliveryEvidence {
  id: string;
  client_id: string;
  run_id: string;
  node_id: string;
  channel: string;
  state: string;
  reason: string | null;
  provider_message_id: string | null;
  history: { state: string; at: string; reason?: string }[];
}

export interface RunEvidence {
  id: string;
  client_id: string;
  entry_key: string;
  state: string;
  reason: string | null;
  person_keys: string[];
}

/** What is to be found after everything has come to rest. */
export interface Evidence {
  copies: Copy[];
  lake: LakeRow[];
  dropped: { place: string; event_id: string; reason: string }[];
  dead: { place: string; event_id: string | null; stage: string; reason: string }[];
  effects: readonly Effect[];
  deliveries: DeliveryEvidence[];
  runs: RunEvidence[];
  contacts: { client_id: string; person_key: string; email: string | null; phone: string | null }[];
}

export function gatherEvidence(world: World): Evidence {
  const { postgres } = world;
  const rows = <T>(statement: string) => postgres.query(statement) as T[];
  return {
    copies: readCopies(world),
    lake: world.lake.rows(),
    dropped: rows(`select source_sequence || ':' || source_index as place, event_id, reason from dropped_events`),
    dead: rows(`select source_sequence || ':' || source_index as place, event_id, stage, reason from dead_letters`),
    effects: world.providers.effects,
    deliveries: rows(
      `select id, client_id, run_id, node_id, channel, state, reason, provider_message_id, history from deliveries`,
    ),
    runs: rows(`select id, client_id, entry_key, state, reason, person_keys from journey_runs`),
    contacts: rows(`select client_id, person_key, email, phone from contacts`),
  };
}

/** The places are counted as readers count them: over all events of a record, also those that belong elsewhere. */
function readCopies({ events }: World): Copy[] {
  return events.entries().flatMap(({ sequence, index, data }) => {
    const { header, events: slices } = decodeEnvelope(data);
    return slices.map((slice, i) => {
      const text = slice.toString();
      const event = JSON.parse(text) as { event_id: string; session_id?: string; event_type: string };
      const { event_id, event_type, session_id = null } = event;
      return { client_id: header.client_id, event_id, session_id, event_type, text, place: `${sequence}:${index + i}` };
    });
  });
}
