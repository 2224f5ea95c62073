import * as fc from "fast-check";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildVisitors } from "../analytics/etl/aggregates/visitors.ts";
import { addDays } from "../core/calendar-day.ts";
import { productsSchema } from "../analytics/reports/products.ts";
import { sessionsSchema } from "../analytics/reports/sessions.ts";
import { forgetCached } from "../platform/cache.ts";
import {
  categoryPerformanceDaily,
  personDays,
  productCategoryDaily,
  productPerformanceDaily,
  sessionsDaily,
} from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const FIRST = "2026-11-21";
const get = (path: string, key?: string) =>
  t.call("GET", `/api/v1/analytics/${path}`, key === undefined ? {} : { key });

/** All pages of a list, one after the other. */
async function readPages<T>(path: string, read: (body: unknown) => { items: T[]; next: string | null }): Promise<T[]> {
  const all: T[] = [];
  let cursor = "";
  for (;;) {
    const { status, body } = await get(`${path}${cursor}`);
    expect(status).toBe(200);
    const { items, next } = read(body);
    all.push(...items);
    if (next === null) return all;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

function readProducts(body: unknown) {
  const { products, next_cursor } = productsSchema.parse(body);
  return { items: products, next: next_cursor };
}

function readPoints(body: unknown) {
  const { points, next_cursor } = sessionsSchema.parse(body);
  return { items: points, next: next_cursor };
}

async function ofFirstDay(query: string) {
  return productsSchema.parse((await get(`products?start=${FIRST}&end=2026-11-22&${query}`)).body);
}

describe("products", () => {
  const counts = { views: 0, add_to_cart: 0, purchases: 0, units: 0, revenue_minor: 0 };
  const row = (day: string, product_id: string, currency: string, more: Partial<typeof counts>) => ({
    client_id: t.ours.client_id,
    day,
    product_id,
    currency,
    ...counts,
    ...more,
  });

  beforeAll(async () => {
    const days = [FIRST, "2026-11-22", "2026-11-30"];
    const rows = days.flatMap((day, nth) =>
      ["p0", "p1", "p2", "p'3", "p4"].flatMap((id, i) => [
        row(day, id, "", { views: 10 * (i % 3), add_to_cart: i }),
        ...(i === 4
          ? []
          : [
              row(day, id, i % 2 === 0 ? "INR" : "JPY", {
                purchases: 1 + i,
                units: 1.5,
                revenue_minor: 500 - 100 * nth,
              }),
            ]),
      ]),
    );
    await t.api.db.insert(productPerformanceDaily).values(rows);
    await t.api.db.insert(productCategoryDaily).values([{ ...row(FIRST, "p1", "", { views: 3 }), category: "hats" }]);
    const { product_id: _, ...ofCategory } = row(FIRST, "", "INR", { purchases: 2, revenue_minor: 7 });
    await t.api.db.insert(categoryPerformanceDaily).values([{ ...ofCategory, category: "hats" }]);
  });

  test("are summed over the days, by currency, with the shares of each step", async () => {
    const { status, body } = await get(`products?start=${FIRST}&end=2026-11-23&currency=INR`);
    expect(status).toBe(200);
    const report = productsSchema.parse(body);
    expect(report).toMatchObject({
      start: FIRST,
      end: "2026-11-23",
      time_zone: "UTC",
      currency: "INR",
      next_cursor: null,
    });
    expect(report.products.map(({ product_id }) => product_id)).toEqual(["p0", "p2", "p'3", "p1", "p4"]);
    expect(report.products[1]).toEqual({
      product_id: "p2",
      category: null,
      views: 40,
      add_to_cart: 4,
      purchases: 6,
      units: 3,
      revenue: { INR: 900 },
      view_to_cart: 0.1,
      cart_to_purchase: 1.5,
      view_to_purchase: 0.15,
    });
    expect(report.products[0]).toMatchObject({ views: 0, view_to_cart: null, cart_to_purchase: null });
  });

  test.each(["revenue", "purchases", "units", "add_to_cart", "views", "conversion"])(
    "page by page, sorted by %s, each stands there once and in the order of the whole",
    async (sort) => {
      const path = `products?start=${FIRST}&end=2026-12-01&sort=${sort}`;
      const whole = productsSchema.parse((await get(path)).body).products;
      expect(await readPages(`${path}&limit=2`, readProducts)).toEqual(whole);
      expect(whole.length).toBe(5);
    },
  );

  test("of a category, and categories themselves", async () => {
    expect((await ofFirstDay("category=hats")).products).toMatchObject([
      { product_id: "p1", category: "hats", views: 3 },
    ]);
    expect((await ofFirstDay("category=none")).products).toEqual([]);
    const categories = await ofFirstDay("group_by=category");
    expect(categories.products).toMatchObject([
      { product_id: null, category: "hats", purchases: 2, revenue: { INR: 7 } },
    ]);
    expect(categories.group_by).toBe("category");
  });

  test("are sorted by the currency of most purchases where none is named", async () => {
    const { currency, products } = await ofFirstDay("limit=2");
    expect([currency, ...products.map(({ product_id }) => product_id)]).toEqual(["JPY", "p'3", "p1"]);
  });

  test("are nobody else's", async () => {
    const { body } = await get(`products?start=${FIRST}&end=2026-12-01`, t.theirs.api_key);
    expect(body).toMatchObject({ products: [], currency: null, next_cursor: null });
  });
});

describe("sessions", () => {
  const dims = fc.record({
    source: fc.constantFrom("", "ads", "mail"),
    country: fc.constantFrom("", "IN"),
    device: fc.constantFrom("mobile", "desktop"),
  });
  const seen = fc.record({ person: fc.nat(5), day: fc.nat(40), dims });
  const visits = fc.record({ day: fc.nat(40), dims, is_bot: fc.boolean(), sessions: fc.integer({ min: 1, max: 9 }) });

  test("have what counting visits and persons by hand gives, by any interval and group", async () => {
    const client_id = t.ours.client_id;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(seen, { minLength: 1, maxLength: 30, selector: ({ person, day }) => `${person} ${day}` }),
        fc.uniqueArray(visits, {
          maxLength: 15,
          selector: ({ day, dims, is_bot }) => JSON.stringify([day, dims, is_bot]),
        }),
        fc.constantFrom("day", "week", "month"),
        fc.constantFrom(undefined, "source", "country", "device"),
        fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 41 })),
        async (persons, sessions, interval, group, [from, length]) => {
          await t.api.db.delete(personDays).where(eq(personDays.client_id, client_id));
          await t.api.db.delete(sessionsDaily).where(eq(sessionsDaily.client_id, client_id));
          await t.api.db.insert(personDays).values(
            persons.map(({ person, day, dims }) => ({
              client_id,
              person: `user:${person}`,
              day: addDays(FIRST, day),
              ...dims,
              events: 1,
              last_at: `${addDays(FIRST, day)}T00:00:00Z`,
            })),
          );
          await buildVisitors(t.api.db, client_id);
          if (sessions.length > 0) {
            await t.api.db.insert(sessionsDaily).values(
              sessions.map(({ day, dims, is_bot, sessions: n }) => ({
                client_id,
                day: addDays(FIRST, day),
                ...dims,
                is_bot,
                sessions: n,
                engaged: n - 1,
                viewed: n,
                carted: 1,
                purchased: 1,
                events: 2 * n,
                purchases: 2,
                duration_ms: n * 100,
              })),
            );
          }
          const [start, end] = [addDays(FIRST, from), addDays(FIRST, from + length)];
          const path = `sessions?start=${start}&end=${end}&interval=${interval}${group ? `&group_by=${group}` : ""}`;
          // As a run of ETL does when it has published.
          await forgetCached(t.api.redis, client_id);
          const { body } = await get(path);
          const report = sessionsSchema.parse(body);
          const isIn = ({ day }: { day: number }) => day >= from && day < from + length;
          const periodOf = ({ day }: { day: number }) => {
            const found = beginningOf(interval, addDays(FIRST, day));
            return found < start ? start : found;
          };
          const keyOf = ({ dims }: { dims: Record<string, string> }) => (group === undefined ? "" : dims[group]!);
          const expected = new Map<string, Record<string, number>>();
          const add = (of: string, more: Record<string, number>) => {
            const sum = expected.get(of) ?? { sessions: 0, engaged: 0, visitors: 0, new_visitors: 0 };
            expected.set(of, Object.fromEntries(Object.entries(sum).map(([name, n]) => [name, n + (more[name] ?? 0)])));
          };
          for (const one of sessions.filter((one) => isIn(one) && !one.is_bot)) {
            add(`${periodOf(one)} ${keyOf(one)}`, { sessions: one.sessions, engaged: one.sessions - 1 });
          }
          const firsts = new Set<string>();
          for (const one of persons.filter(isIn).toSorted((a, b) => a.day - b.day)) {
            const mark = `${one.person} ${periodOf(one)}`;
            // Whoever was there in a period is of the kind that they were first in it.
            if (firsts.has(mark)) continue;
            firsts.add(mark);
            const isNew = !persons.some(({ person, day }) => person === one.person && day < one.day);
            add(`${periodOf(one)} ${keyOf(one)}`, { visitors: 1, new_visitors: isNew ? 1 : 0 });
          }
          const found = report.points.map(({ start, key, traffic, engagement, retention }) => [
            `${start} ${key ?? ""}`,
            {
              sessions: traffic.sessions,
              engaged: engagement.engaged,
              visitors: traffic.visitors,
              new_visitors: retention.new_visitors,
            },
          ]);
          expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
          expect(report.totals.traffic.visitors).toBe(new Set(persons.filter(isIn).map(({ person }) => person)).size);
          expect(await readPages(`${path}&limit=3`, readPoints)).toEqual(report.points);
        },
      ),
      { numRuns: 15 },
    );
  }, 180_000);

  test("of machines count where that is asked for", async () => {
    const client_id = t.theirs.client_id;
    const numbers = {
      sessions: 4,
      engaged: 2,
      viewed: 0,
      carted: 0,
      purchased: 1,
      events: 9,
      purchases: 1,
      duration_ms: 400,
    };
    const row = { client_id, day: FIRST, source: "", country: "", device: "", is_bot: true, ...numbers };
    await t.api.db.insert(sessionsDaily).values([row, { ...row, is_bot: false, sessions: 1 }]);
    const path = `sessions?start=${FIRST}&end=2026-11-22&group_by=device`;
    const without = sessionsSchema.parse((await get(path, t.theirs.api_key)).body);
    expect(without.totals.traffic.sessions).toBe(1);
    expect(without.points).toMatchObject([{ start: FIRST, key: null }]);
    const all = sessionsSchema.parse((await get(`${path}&bots=include`, t.theirs.api_key)).body);
    expect(all.totals).toMatchObject({ traffic: { sessions: 5 }, conversion: { purchased: 2, conversion_rate: 0.4 } });
  });
});

function beginningOf(interval: string, day: string): string {
  if (interval === "month") return `${day.slice(0, 7)}-01`;
  const weekday = (new Date(day).getUTCDay() + 6) % 7;
  return interval === "week" ? addDays(day, -weekday) : day;
}
