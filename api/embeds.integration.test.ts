import { eq } from "drizzle-orm";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { cohortRetention, embedKeys } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

const TILE = { report: "cohorts", query: { start: "2026-01-01", end: "2026-06-01" } };
let t: TestApi;

beforeAll(async () => {
  t = await startTestApi();
  const { client_id } = t.ours;
  const row = {
    client_id,
    cohort_by: "first_purchase" as const,
    period: "month" as const,
    cohort: "2026-02-01",
    age: 0,
  };
  await t.api.db.insert(cohortRetention).values({ ...row, persons: 1234, revenue: {} });
});
afterAll(() => t.close());

async function create(body: object = {}) {
  const { status, body: made } = await t.call("POST", "/api/v1/embeds", { body: { tile: TILE, ...body } });
  expect({ status, made }).toMatchObject({ status: 201 });
  return made as { embed_id: string; token: string; url: string; expires_at: string };
}

const open = (token: string, rest = "", headers: Record<string, string> = {}) =>
  fetch(`${t.base}/embed/${token}${rest}`, { headers });
async function statusOf(token: string, rest = "/data") {
  const response = await open(token, rest);
  const body = (await response.json()) as { code?: string };
  return [response.status, body.code];
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a link", () => {
  test("shows its tile to whoever has it, as JSON", async () => {
    const { token, url } = await create();
    expect(url).toBe(`${t.api.config.LIVORA_PUBLIC_API_URL}/embed/${token}`);
    const response = await open(token, "/data");
    expect(response.status).toBe(200);
    const asked = await t.call("GET", "/api/v1/analytics/cohorts?start=2026-01-01&end=2026-06-01");
    expect(await response.json()).toEqual(asked.body);
    const etag = response.headers.get("etag")!;
    expect((await open(token, "/data", { "if-none-match": etag })).status).toBe(304);
    expect((await open(token, "", { "if-none-match": etag })).status).toBe(200);
  });

  test("and as a page that needs nothing else and holds no key", async () => {
    const { token } = await create({ title: 'Who <b>came</b> "back"' });
    const response = await open(token);
    const html = await response.text();
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(html).toContain("<h1>Who &lt;b&gt;came&lt;/b&gt; &quot;back&quot;</h1>");
    expect(html).toContain("1,234");
    expect(html).not.toMatch(/<script|<b>|src=|href=|url\(|@import/i);
    expect(html).not.toContain(t.ours.api_key);
    expect(html).not.toContain(token);
    const policy = response.headers.get("content-security-policy")!;
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^ ]+'; .*frame-ancestors 'none'$/);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("may stand in the frames of the client's own origins", async () => {
    const { token } = await create();
    const origins = ["https://shop.example", "http://localhost:3000"];
    const { status, body } = await t.call("PUT", "/api/v1/embed-settings", { body: { origins } });
    expect([status, body.origins]).toEqual([200, origins]);
    const policy = (await open(token)).headers.get("content-security-policy")!;
    expect(policy).toMatch(/frame-ancestors https:\/\/shop\.example http:\/\/localhost:3000$/);
    await t.call("PUT", "/api/v1/embed-settings", { body: { origins: [] } });
    expect((await open(token)).headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  test("shows nothing else, and opens nothing else", async () => {
    const { token } = await create();
    expect(await statusOf(token, "/data?report=ltv")).toEqual([403, "forbidden"]);
    expect(await statusOf(token, "/data?end=2026-12-01")).toEqual([403, "forbidden"]);
    expect(
      (await t.call("GET", "/api/v1/analytics/cohorts?start=2026-01-01&end=2026-06-01", { key: token })).status,
    ).toBe(401);
  });

  test("is listed without its token, and audited", async () => {
    const { embed_id, token } = await create();
    const { body } = await t.call("GET", "/api/v1/embeds?limit=200");
    expect(body.embeds.map((one: { embed_id: string }) => one.embed_id)).toContain(embed_id);
    expect(JSON.stringify(body)).not.toContain(token);
    const theirs = await t.call("GET", "/api/v1/embeds", { key: t.theirs.api_key });
    expect(theirs.body.embeds).toEqual([]);
  });
});

describe("is over", () => {
  test("when it was revoked", async () => {
    const { embed_id, token } = await create();
    expect((await t.call("DELETE", `/api/v1/embeds/${embed_id}`, { key: t.theirs.api_key })).status).toBe(404);
    expect(await statusOf(token)).toEqual([200, undefined]);
    const first = await t.call("DELETE", `/api/v1/embeds/${embed_id}`);
    const again = await t.call("DELETE", `/api/v1/embeds/${embed_id}`);
    expect([first.status, again.status, again.body.revoked_at]).toEqual([200, 200, first.body.revoked_at]);
    expect(await statusOf(token)).toEqual([410, "gone"]);
    expect((await open(token)).status).toBe(410);
  });

  test("when it has expired", async () => {
    const { token } = await create();
    expect(await statusOf(await signAgain(token, { exp: Math.floor(Date.now() / 1_000) - 5 }))).toEqual([410, "gone"]);
  });

  test("when its key is retired; a key that is only followed by another is believed", async () => {
    const before = await create();
    await t.call("PUT", "/api/v1/embed-settings", { body: { rotate: "keep" } });
    const after = await create();
    expect(decodeProtectedHeader(after.token).kid).not.toBe(decodeProtectedHeader(before.token).kid);
    expect([await statusOf(before.token), await statusOf(after.token)]).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    const { body } = await t.call("PUT", "/api/v1/embed-settings", { body: { rotate: "retire" } });
    expect(body.retired_keys).toBeGreaterThanOrEqual(2);
    expect([await statusOf(before.token), await statusOf(after.token)]).toEqual([
      [401, "unauthorized"],
      [401, "unauthorized"],
    ]);
    expect(await statusOf((await create()).token)).toEqual([200, undefined]);
  });
});

describe("a token that is not as we signed it", () => {
  test("is refused, whatever was changed", async () => {
    const { token } = await create();
    const [header, payload, signature] = token.split(".") as [string, string, string];
    const claims = decodeJwt(token);
    const protectedHeader = decodeProtectedHeader(token);
    const wrong = [
      [header, encode({ ...claims, query: { ...TILE.query, end: "2027-01-01" } }), signature],
      [header, encode({ ...claims, report: "ltv" }), signature],
      [header, encode({ ...claims, exp: 9_999_999_999 }), signature],
      [header, encode({ ...claims, sub: t.theirs.client_id }), signature],
      [encode({ ...protectedHeader, alg: "none" }), payload, ""],
      [encode({ ...protectedHeader, kid: crypto.randomUUID() }), payload, signature],
      [header, payload, `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`],
      [header, payload],
      ["a", "b", "c"],
    ].map((parts) => parts.join("."));
    for (const one of wrong) expect([one, ...(await statusOf(one))]).toEqual([one, 401, "unauthorized"]);
    expect(await statusOf("%00")).toEqual([400, "invalid"]);
  });

  test("nor with another client's key, for another audience, or without an end", async () => {
    const { token } = await create();
    await t.call("POST", "/api/v1/embeds", { key: t.theirs.api_key, body: { tile: TILE } });
    const [theirs] = await t.api.db.select().from(embedKeys).where(eq(embedKeys.client_id, t.theirs.client_id));
    const wrong = [
      await signAgain(token, {}, theirs),
      await signAgain(token, { aud: "livora:other" }),
      await signAgain(token, { exp: undefined }),
    ];
    for (const one of wrong) expect(await statusOf(one)).toEqual([401, "unauthorized"]);
    // By the way that they are made here, what nobody changed is believed.
    expect(await statusOf(await signAgain(token, {}))).toEqual([200, undefined]);
  });
});

async function signAgain(token: string, change: object, key?: { id: string; secret: string }): Promise<string> {
  const { kid } = decodeProtectedHeader(token);
  const [own] = await t.api.db.select().from(embedKeys).where(eq(embedKeys.id, kid!));
  const { id, secret } = key ?? own!;
  const header = { alg: "HS256", typ: "JWT", kid: id };
  return new SignJWT({ ...decodeJwt(token), ...change })
    .setProtectedHeader(header)
    .sign(Buffer.from(secret, "base64url"));
}

describe("is not made", () => {
  test.each([
    [{ tile: { ...TILE, report: "everything" } }, 400, "/tile/report"],
    [{ tile: { ...TILE, report: "questions/{id}" } }, 400, "/tile/report"],
    [{ tile: { ...TILE, query: { start: "2026-01-01" } } }, 400, "/end"],
    [{ tile: { ...TILE, query: { ...TILE.query, colour: "red" } } }, 400, "/tile/query/colour"],
    [{ tile: { ...TILE, query: { ...TILE.query, period: "\0" } } }, 400, "/tile/query/period"],
    [{ tile: TILE, expires_in: 5 }, 400, "/expires_in"],
    [{ tile: TILE, client_id: "other" }, 400, ""],
    [{ tile: { report: "ltv", query: {} } }, 403, undefined],
  ])("%j", async (body, status, pointer) => {
    const answered = await t.call("POST", "/api/v1/embeds", { body });
    expect([answered.status, answered.body.errors?.[0]?.path]).toEqual([status, pointer]);
  });

  test("by a key that may only read", async () => {
    const key = await t.addKey(["read"]);
    expect((await t.call("POST", "/api/v1/embeds", { key, body: { tile: TILE } })).status).toBe(403);
  });

  test.each([
    "https://a.example/path",
    "http://a.example",
    "*",
    "https://a.example; script-src *",
    "javascript:alert(1)",
  ])("for frames of %s", async (origin) => {
    const { status } = await t.call("PUT", "/api/v1/embed-settings", { body: { origins: [origin] } });
    expect(status).toBe(400);
  });
});
