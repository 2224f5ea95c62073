import { objectAt, textOf } from "./bounded.ts";
import type { Utm } from "./enriched-event.ts";
import type { Event } from "./event.ts";

const PARTS = ["source", "medium", "campaign", "term", "content"] as const;
/** Click ids that networks append to links whose owner did not set `utm_…`. */
const CLICK_IDS: Readonly<Record<string, { source: string; medium: string }>> = {
  gclid: { source: "google", medium: "cpc" },
  gbraid: { source: "google", medium: "cpc" },
  wbraid: { source: "google", medium: "cpc" },
  dclid: { source: "google", medium: "display" },
  msclkid: { source: "bing", medium: "cpc" },
  fbclid: { source: "facebook", medium: "social" },
  igshid: { source: "instagram", medium: "social" },
  ttclid: { source: "tiktok", medium: "social" },
  twclid: { source: "twitter", medium: "social" },
  li_fat_id: { source: "linkedin", medium: "social" },
};

/**
 * Where the visit came from, in one spelling. Looked for, in this order: `utm_…` in the props, in the context,
 * `context.campaign` and `context.utm` (as SDKs send it), the page's address. Null where nothing tells.
 */
export function utmOf(event: Pick<Event, "props" | "context">): Utm | null {
  const props = event.props ?? {};
  const context = event.context ?? {};
  const query = queryOf(pageOf(event));
  const campaign = objectAt(context, "campaign");
  const utm = objectAt(context, "utm");
  const found = Object.fromEntries(
    PARTS.map((part) => {
      const named = part === "campaign" ? (campaign["name"] ?? campaign["campaign"]) : campaign[part];
      const given = [props[`utm_${part}`], context[`utm_${part}`], named, utm[part], query?.get(`utm_${part}`)];
      return [part, firstText(given)];
    }),
  ) as unknown as Utm;
  const click = found.source === null ? clickOf(props, query) : null;
  if (click) return { ...found, source: click.source, medium: found.medium ?? click.medium };
  return PARTS.some((part) => found[part] !== null) ? found : null;
}

/** The address of the page that an event happened on, wherever its sender put it. */
function pageOf(event: Pick<Event, "props" | "context">): string | null {
  const { props, context } = event;
  const page = objectAt(context, "page");
  for (const value of [
    props?.["url"],
    props?.["page_url"],
    page["url"],
    context?.["url"],
    context?.["page_url"],
    page["path"],
  ]) {
    const text = textOf(value, 1024);
    if (text !== null) return text;
  }
  return null;
}

/** The page without query and fragment, which may hold anything, personal data too. */
export function landingPageOf(event: Pick<Event, "props" | "context">): string | null {
  return pageOf(event)?.replace(/[?#].*$/s, "") || null;
}

/** `google`, or the referring site, or null for a visit that came from nowhere else. */
export function sourceOf(event: Pick<Event, "props" | "context">, utm: Utm | null): string | null {
  if (utm?.source) return utm.source;
  const referrer = textOf(
    objectAt(event.context, "page")["referrer"] ?? event.context?.["referrer"] ?? event.props?.["referrer"],
    1024,
  );
  const site = referrer === null ? null : hostOf(referrer);
  const page = pageOf(event);
  return site !== null && site !== (page === null ? null : hostOf(page)) ? site : null;
}

function firstText(values: readonly unknown[]): string | null {
  for (const value of values) {
    const text = textOf(value, 200);
    if (text !== null) return text.toLowerCase();
  }
  return null;
}

function clickOf(props: Readonly<Record<string, unknown>>, query: URLSearchParams | null) {
  for (const [id, click] of Object.entries(CLICK_IDS)) {
    if (textOf(props[id]) !== null || query?.get(id)) return click;
  }
  return null;
}

function queryOf(page: string | null): URLSearchParams | null {
  const at = page?.indexOf("?") ?? -1;
  return page === null || at < 0 ? null : new URLSearchParams(page.slice(at + 1).replace(/#.*$/s, ""));
}

function hostOf(address: string): string | null {
  const host = /^[a-z]+:\/\/([^/?#:]+)/i.exec(address)?.[1];
  return host === undefined ? null : host.toLowerCase().replace(/^www\./, "");
}
