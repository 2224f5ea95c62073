import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { auditLog, campaignVersions } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

describe("a campaign", () => {
  test("the seeds' JSON is taken as it stands", async () => {
    const { status, body } = await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
    expect(status).toBe(201);
    expect(body).toMatchObject({ campaign_id: "camp_123", state: "draft" });
    expect(body.warnings).toEqual([]);
    const strange = { ...CAMPAIGN, campaign_id: "strange", schedule: [{ delay_minutes: 1, action: "sms:unheard-of" }] };
    const { warnings } = (await t.call("POST", "/api/v1/campaigns", { body: strange })).body;
    expect(warnings).toMatchObject([{ reason: expect.stringContaining('no sms template "unheard-of"') }]);
  });

  test("the same id again replaces the draft", async () => {
    const { status } = await t.call("POST", "/api/v1/campaigns", { body: { ...CAMPAIGN, name: "Carts" } });
    expect(status).toBe(200);
    const { body } = await t.call("GET", "/api/v1/campaigns/camp_123");
    expect(body).toMatchObject({ name: "Carts", state: "draft", current_version: null, draft: CAMPAIGN });
  });

  test("publishing makes a version, publishing the same again none, publishing a change the next", async () => {
    const first = await t.call("POST", "/api/v1/campaigns/camp_123/publish");
    expect(first.body).toMatchObject({ version: 1, state: "active", unchanged: false });
    expect(first.body.hash).toMatch(/^[0-9a-f]{64}$/);
    const again = await t.call("POST", "/api/v1/campaigns/camp_123/publish");
    expect(again.body).toMatchObject({ version: 1, hash: first.body.hash, unchanged: true });
    await t.call("POST", "/api/v1/campaigns", { body: { ...CAMPAIGN, schedule: CAMPAIGN.schedule.slice(0, 1) } });
    const changed = await t.call("POST", "/api/v1/campaigns/camp_123/publish");
    expect(changed.body).toMatchObject({ version: 2, unchanged: false });
    expect(changed.body.hash).not.toBe(first.body.hash);
    const kept = await t.api.db.select().from(campaignVersions).where(eq(campaignVersions.client_id, t.ours.client_id));
    expect(kept.map(({ version, hash }) => ({ version, hash }))).toEqual([
      { version: 1, hash: first.body.hash },
      { version: 2, hash: changed.body.hash },
    ]);
  });

  test("ten who publish at once make one version", async () => {
    await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
    const all = await Promise.all(
      Array.from({ length: 10 }, () => t.call("POST", "/api/v1/campaigns/camp_123/publish")),
    );
    expect(new Set(all.map(({ body }) => body.version))).toEqual(new Set([3]));
    expect(all.filter(({ body }) => body.unchanged === false)).toHaveLength(1);
  });

  test("pausing and resuming, each as often as one likes; whoever waits is woken", async () => {
    for (const _ of [1, 2])
      expect((await t.call("POST", "/api/v1/campaigns/camp_123/pause")).body.state).toBe("paused");
    expect((await t.call("POST", "/api/v1/campaigns/camp_123/publish")).body.state).toBe("paused");
    for (const _ of [1, 2])
      expect((await t.call("POST", "/api/v1/campaigns/camp_123/resume")).body.state).toBe("active");
    expect(t.resumed).toEqual(["camp_123", "camp_123"]);
  });

  test("a draft cannot be paused", async () => {
    await t.call("POST", "/api/v1/campaigns", { body: { ...CAMPAIGN, campaign_id: "only-a-draft" } });
    const { status, body } = await t.call("POST", "/api/v1/campaigns/only-a-draft/pause");
    expect({ status, detail: body.detail }).toEqual({ status: 409, detail: "The campaign is draft, not active." });
  });

  test("the list has both, by id, a page at a time", async () => {
    const first = await t.call("GET", "/api/v1/campaigns?limit=1");
    expect(first.body.campaigns.map((item: { campaign_id: string }) => item.campaign_id)).toEqual(["camp_123"]);
    const second = await t.call("GET", `/api/v1/campaigns?limit=1&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ campaigns: [{ campaign_id: "only-a-draft" }], next_cursor: "only-a-draft" });
  });

  test("each change stands in the audit log, once", async () => {
    const rows = await t.api.db.select().from(auditLog).where(eq(auditLog.client_id, t.ours.client_id));
    const ofCampaign = rows.filter((row) => row.subject === "campaign:camp_123").map((row) => row.action);
    expect(ofCampaign).toEqual([
      "campaign.create",
      "campaign.redraft",
      "campaign.publish",
      "campaign.redraft",
      "campaign.publish",
      "campaign.redraft",
      "campaign.publish",
      "campaign.pause",
      "campaign.resume",
    ]);
    expect(rows[0]).toMatchObject({ actor: expect.stringMatching(/^key:lv_/) });
    expect(JSON.stringify(rows)).not.toContain(t.ours.api_key);
  });

  test("every fault is named, where and why", async () => {
    const wrong = { ...CAMPAIGN, schedule: [{ delay_minutes: -1, action: "pigeon:hello" }], surprise: 1 };
    const { status, body } = await t.call("POST", "/api/v1/campaigns", { body: wrong });
    expect(status).toBe(400);
    const paths = body.errors.map((fault: { path: string }) => fault.path);
    expect(paths).toEqual(expect.arrayContaining(["/schedule/0/delay_minutes", "/schedule/0/action", ""]));
  });
});

describe("templates", () => {
  const path = "/api/v1/templates/email/coupon";
  test("are kept and found again", async () => {
    const put = await t.call("PUT", path, { body: { subject: "Hi {{ contact.name }}", body: "<p>10 %</p>" } });
    expect(put.status).toBe(200);
    const got = await t.call("GET", path);
    expect(got.body).toEqual(put.body);
    expect(got.body).toMatchObject({ channel: "email", name: "coupon", content_sid: null });
  });

  test("that are no Liquid are refused, and say where", async () => {
    const { status, body } = await t.call("PUT", path, { body: { body: "{% if %}" } });
    expect({ status, path: body.errors[0].path }).toEqual({ status: 400, path: "/body" });
  });
});
