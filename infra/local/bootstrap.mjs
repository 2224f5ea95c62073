// The way in for `npm start`, `npm test`, `npm run verify`, `npm run bench` and `npm run test:chaos`. Plain JavaScript for any Node
// from 20 on, because it runs before anything is installed: it installs what the lock file says and hands over to the pinned
// Node, which runs TypeScript.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const commands = {
  start: "infra/local/start.ts",
  test: "infra/local/test.ts",
  verify: "infra/local/verify.ts",
  bench: "bench/main.ts",
  audit: "infra/local/audit.ts",
  journeys: "infra/journeys/main.ts",
  backup: "infra/local/backup/backup.ts",
  restore: "infra/local/backup/restore.ts",
  planted: "test/planted-bugs/main.ts",
  chaos: "test/chaos/main.ts",
};

const [command = "", ...args] = process.argv.slice(2);
const script = commands[command];
if (!script) fail(`usage: node infra/local/bootstrap.mjs ${Object.keys(commands).join("|")}`);
if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Livora needs Node 20 or later; this is ${process.version}.`);
process.chdir(root);
if (!isInstalled()) await install();
const node = join(root, "node_modules/.bin/node");
const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
process.exit(await run(node, [script, ...args], { ...process.env, PATH: path }));

/** Whether node_modules holds what the lock file asks for; npm leaves its own note there of what it installed. */
function isInstalled() {
  if (!existsSync(join(root, "node_modules/.bin/node"))) return false;
  const wanted = readJson("package-lock.json")?.packages ?? {};
  const installed = readJson("node_modules/.package-lock.json")?.packages ?? {};
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.link || entry.optional || entry.devOptional || entry.peer) return true;
    return !path.includes("node_modules") || installed[path]?.version === entry.version;
  });
}

async function install() {
  console.log("Installing packages (npm ci; a minute or so, only when they change) …");
  const started = Date.now();
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  const code = await run(program, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], process.env);
  if (code !== 0) fail("npm ci failed; what it said stands above.");
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** In the same process group, so that Ctrl-C reaches the child by itself; what is sent to us alone is passed on. */
function run(program, argv, env) {
  return new Promise((done) => {
    const child = spawn(program, argv, { stdio: "inherit", env });
    const pass = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, pass);
    child.once("error", (error) => fail(`${program}: ${error.message}`));
    child.once("exit", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8"));
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
