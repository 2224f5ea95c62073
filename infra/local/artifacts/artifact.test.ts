import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type Artifact, findOnPath, findOrMake } from "./artifact.ts";
import { findRedis } from "./redis.ts";
import { findTemporalCli } from "./temporal-cli.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "livora-artifacts-"));
  vi.stubEnv("LIVORA_CACHE", join(folder, "cache"));
  vi.stubEnv("TEMPORAL_CLI_PATH", "");
  vi.stubEnv("PATH", join(folder, "bin"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function writeProgram(...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o755);
  return file;
}

function describeArtifact(ways: Artifact["ways"]): Artifact {
  return { name: "thing-1", program: "thing", ways, hint: "Install it yourself." };
}

const failing = { label: "downloading", fill: () => Promise.reject(new Error("no network")) };
const working = {
  label: "building",
  fill: async (target: string) => {
    writeFileSync(join(target, "thing"), "");
    chmodSync(join(target, "thing"), 0o755);
    return true;
  },
};

describe("the Temporal CLI is looked for", () => {
  it("first where TEMPORAL_CLI_PATH says", async () => {
    writeProgram("bin/temporal");
    const named = writeProgram("own/temporal");
    vi.stubEnv("TEMPORAL_CLI_PATH", named);
    expect(await findTemporalCli()).toBe(named);
  });

  it("and nowhere else where that is wrong", async () => {
    vi.stubEnv("TEMPORAL_CLI_PATH", "/nowhere/temporal");
    await expect(findTemporalCli()).rejects.toThrow("TEMPORAL_CLI_PATH is /nowhere/temporal");
  });

  it("then on the PATH, then in the cache", async () => {
    const cached = writeProgram("cache/temporal-cli-v1.5.1/temporal");
    expect(await findTemporalCli()).toBe(cached);
    const onPath = writeProgram("bin/temporal");
    expect(await findTemporalCli()).toBe(onPath);
  });
});

describe("Redis is looked for", () => {
  it("as redis-server, then as valkey-server, on the PATH", async () => {
    const valkey = writeProgram("bin/valkey-server");
    expect(await findRedis()).toBe(valkey);
    const redis = writeProgram("bin/redis-server");
    expect(await findRedis()).toBe(redis);
  });

  it("and a folder of that name is not a program", () => {
    mkdirSync(join(folder, "bin/redis-server"), { recursive: true });
    expect(findOnPath(["redis-server"])).toBeNull();
  });
});

describe("what is in no cache", () => {
  it("is made the first way that works, and found the next time", async () => {
    const made = await findOrMake(describeArtifact([failing, working]), () => {});
    expect(existsSync(made)).toBe(true);
    expect(await findOrMake(describeArtifact([failing]), () => {})).toBe(made);
  });

  it("leaves nothing behind where no way works, and says why of each", async () => {
    const attempt = findOrMake(describeArtifact([failing, { label: "building", fill: async () => false }]), () => {});
    await expect(attempt).rejects.toThrow(
      "thing-1 could not be had.\n  downloading: no network\n  building: not possible here\nInstall it yourself.",
    );
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
  });

  it("is made once by two at the same time", async () => {
    const fill = vi.fn<typeof working.fill>(working.fill);
    const artifact = describeArtifact([{ label: "building", fill }]);
    await Promise.all([findOrMake(artifact, () => {}), findOrMake(artifact, () => {})]);
    expect(fill).toHaveBeenCalledTimes(1);
  });

  it("is made all the same where one that was at it has died", async () => {
    mkdirSync(join(folder, "cache"), { recursive: true });
    writeFileSync(join(folder, "cache/thing-1.lock"), JSON.stringify({ pid: 999_999_999, identity: "gone" }));
    expect(existsSync(await findOrMake(describeArtifact([working]), () => {}))).toBe(true);
  });
});
