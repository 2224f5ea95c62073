import { Liquid } from "liquidjs";

import type { Channel } from "../core/message.ts";
import type { TemplateContent } from "./templates/starters.ts";

export interface Rendered {
  subject: string | null;
  body: string;
  content: { sid: string; variables: Record<string, string> } | null;
}

/** What a template may speak of. Only data: nothing of it is ever read as a template. */
export interface Variables {
  contact: Record<string, unknown>;
  event: { type: string; at: string; key: string; props: Record<string, unknown> };
  cart: Record<string, unknown>;
  client: { id: string; name: string };
  campaign: { id: string; name: string };
}

/** A template that runs wild stops here, not the worker. */
const LIMITS = { parseLimit: 200_000, renderLimit: 250, memoryLimit: 2_000_000 };
const MAX_SUBJECT_CHARACTERS = 255;
const MAX_CACHED = 500;

/**
 * A variable that is not there is an error, unless the template says what to put instead: better no message than one with
 * a hole. In HTML every value is escaped, unless the template says `raw`.
 */
function createEngine(outputEscape?: "escape"): Liquid {
  const engine = new Liquid({
    ...LIMITS,
    ...(outputEscape && { outputEscape }),
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    relativeReference: false,
    templates: {},
  });
  engine.registerFilter("safe_url", safeUrl);
  return engine;
}

const html = createEngine("escape");
const text = createEngine();

/** Throws what Liquid throws: a template that does not parse, or that asks for what is not there. */
export async function renderTemplate(
  channel: Channel,
  template: TemplateContent,
  variables: Variables,
): Promise<Rendered> {
  const body = await run(channel === "email" ? html : text, template.body, variables);
  const subject = template.subject === null ? null : await run(text, template.subject, variables);
  const content = template.content_sid === null ? null : await contentOf(template.content_sid, template, variables);
  return {
    subject: subject === null ? null : oneLine(subject),
    body: channel === "email" ? body : tidy(body),
    content,
  };
}

async function contentOf(sid: string, { content_variables }: TemplateContent, variables: Variables) {
  const rendered = Object.entries(content_variables ?? {}).map(
    async ([name, source]) => [name, oneLine(await run(text, source, variables))] as const,
  );
  return { sid, variables: Object.fromEntries(await Promise.all(rendered)) };
}

const parsed = new WeakMap<Liquid, Map<string, ReturnType<Liquid["parse"]>>>();

async function run(engine: Liquid, source: string, variables: Variables): Promise<string> {
  const cache = parsed.get(engine) ?? new Map<string, ReturnType<Liquid["parse"]>>();
  parsed.set(engine, cache);
  const template = cache.get(source) ?? engine.parse(source);
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(source, template);
  return String(await engine.render(template, variables));
}

/** No line breaks: a subject becomes a header. */
function oneLine(value: string): string {
  return value
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .slice(0, MAX_SUBJECT_CHARACTERS);
}

/** As a person would have written it: nothing invisible, no trailing space, no gap where something was left out. */
function tidy(value: string): string {
  return value
    .replaceAll(/[^\P{Cc}\n\t]+/gu, "")
    .replaceAll(/[ \t]+$/gm, "")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** An address of the web, or nothing: a shop's data may say `javascript:`. */
function safeUrl(value: unknown): string {
  const address = String(value ?? "");
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol) ? address : "";
}
