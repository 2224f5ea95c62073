import type { Channel } from "../../core/message.ts";
import { contentHash } from "../../delivery/content-hash.ts";
import type { OutgoingMessage, Provider, ProviderAnswer } from "../../delivery/providers/provider.ts";
import type { Report } from "../../delivery/webhooks/take-report.ts";
import type { Random } from "../support/oracle-random.ts";
import type { OutboxMessage } from "../support/oracle-messages.ts";
import type { Clock } from "./clock.ts";
import type { CallFault, PointFaults } from "./faults.ts";
import type { Network } from "./network.ts";

/** What a provider has taken, and so what its reader gets. */
export interface Effect extends OutboxMessage {
  delivery_id: string;
  client_id: string;
  /** Of virtual time. */
  elapsedMs: number;
}

export interface ModelProviders {
  connect(network: Network): Record<Channel, Provider>;
  readonly effects: Effect[];
  /** Attempts that were refused for good, by delivery. */
  readonly rejected: Set<string>;
}

const SEARCH_LAG_MS = 300;

export function createModelProviders(
  parts: { clock: Clock; random: Random; faults: PointFaults },
  report: (told: Report) => Promise<void>,
): ModelProviders {
  const { clock, random, faults } = parts;
  const effects: Effect[] = [];
  const rejected = new Set<string>();

  function take(channel: Channel, message: OutgoingMessage): ProviderAnswer {
    const effect: Effect = {
      id: `m${effects.length + 1}`,
      channel,
      to: message.to,
      from: message.from,
      subject: message.subject,
      body: message.body,
      received_at: new Date(clock.wallMs()).toISOString(),
      delivery_id: message.delivery_id,
      client_id: message.client_id,
      elapsedMs: clock.elapsedMs,
    };
    effects.push(effect);
    tellOf(effect);
    return { kind: "accepted", message_id: effect.id };
  }

  /** `delivered`, mostly `opened` after it; now and then twice, or the other way round. */
  function tellOf({ id, delivery_id }: Effect): void {
    const kinds = random.chance(0.5) ? (["delivered", "opened"] as const) : (["delivered"] as const);
    for (const [i, kind] of kinds.entries()) {
      const fault = faults.at("webhook");
      const delayMs = 20 + i * 60 + random.between(0, 80) + (fault?.kind === "late" ? fault.ms : 0);
      const times = fault?.kind === "doubled" ? 2 : 1;
      const told = (): Report => ({
        delivery_id,
        kind,
        at: new Date(clock.wallMs()).toISOString(),
        provider_message_id: id,
      });
      for (let time = 0; time < times; time++)
        clock.after(delayMs * (time + 1), () => void tellUntilHeard(told()), null);
    }
  }

  async function tellUntilHeard(told: Report): Promise<void> {
    for (let attempt = 1; attempt < 20; attempt++) {
      try {
        return await report(told);
      } catch {
        await clock.sleep(1_000 * Math.min(attempt, 5));
      }
    }
  }

  function answer(channel: Channel, message: OutgoingMessage, kind: CallFault | null): ProviderAnswer {
    if (kind === "limited") return { kind: "limited", reason: "429", retry_after_ms: 1_000 };
    if (kind === "lost_before") return { kind: "lost", reason: "no_answer" };
    if (kind === "rejected") {
      rejected.add(message.delivery_id);
      return { kind: "refused", reason: "rejected" };
    }
    return take(channel, message);
  }

  function connect(network: Network): Record<Channel, Provider> {
    const providerOf = (channel: Channel, name: Provider["name"]): Provider => ({
      name,
      replacesRepeats: false,
      searchLagMs: SEARCH_LAG_MS,
      send: (message) =>
        network
          .ask(
            "provider:send",
            (kind) => answer(channel, message, kind),
            (kind) => new Error(kind),
          )
          .catch((error: Error) =>
            error.message === "refused"
              ? { kind: "unreachable", reason: "ECONNREFUSED" }
              : { kind: "lost", reason: "no_answer" },
          ),
      find: (deliveryId, handover) =>
        network.ask(
          "provider:find",
          (kind) => {
            if (kind === "blind") return null;
            const known = effects.filter(
              (effect) => effect.channel === channel && clock.elapsedMs - effect.elapsedMs >= SEARCH_LAG_MS,
            );
            // The one keeps our own id, the other only who got what.
            if (name === "sendgrid") return idsOf(known.filter((effect) => effect.delivery_id === deliveryId));
            return idsOf(
              known.filter(
                (effect) => effect.to === handover.to && contentHash(effect.body) === handover.content_sha256,
              ),
            );
          },
          (kind) => new Error(kind),
        ),
    });
    return {
      email: providerOf("email", "sendgrid"),
      sms: providerOf("sms", "twilio"),
      whatsapp: providerOf("whatsapp", "twilio"),
      push: providerOf("push", "fcm"),
    };
  }

  return { connect, effects, rejected };
}

function idsOf(effects: readonly Effect[]): string[] {
  return effects.map((effect) => effect.id);
}
