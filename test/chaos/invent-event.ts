import type { OfferedEvent } from "../support/oracle.ts";
import type { Scene } from "./scenario.ts";

export interface InventedFields {
  session_id: string;
  page: string;
  /** Epoch ms. */
  at: number;
}

/** A page that nobody looks at: an event that a scenario offers for its own sake. */
export function inventEvent(
  { stack, random }: Pick<Scene, "stack" | "random">,
  fields: Partial<InventedFields> = {},
): OfferedEvent {
  const event_id = random.uuid();
  const session_id = fields.session_id ?? `probe|${event_id}`;
  const event = {
    event_id,
    session_id,
    client_id: stack.client_id,
    anon_id: session_id,
    event_type: "page_view",
    timestamp: new Date(fields.at ?? Date.now()).toISOString(),
    props: { page: fields.page ?? "/probe" },
  };
  return { event_id, session_id, event_type: event.event_type, text: JSON.stringify(event) };
}
