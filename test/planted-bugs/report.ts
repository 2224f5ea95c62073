import type { Verdict } from "./judge.ts";

/** docs/planted-bugs.md. */
export function formatTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ bug, isCaught, catches }) => {
    const tests = isCaught ? catches : [];
    const by = tests.map(({ file, test }) => `\`${file}\`: ${cell(test)}`).join("<br>") || "**NOT caught**";
    const after = tests.map(({ seconds }) => `${seconds.toFixed(1)} s`).join("<br>");
    return `| \`${bug.name}\` | ${cell(bug.says)} | \`${bug.file}\` | ${by} | ${after} |`;
  });
  const caught = verdicts.filter((verdict) => verdict.isCaught).length;
  return [...HEAD, `${caught} of ${verdicts.length} are caught.`, "", ...COLUMNS, ...rows, ""].join("\n");
}

const HEAD = [
  "# Planted bugs",
  "",
  "A suite that cannot fail proves nothing. Each row is a mistake that somebody could make; `npm run test:planted -- --write` puts one",
  "after the other into the code, as the tests read it, and writes this page: which test fails, and how soon after its file",
  "was begun. Without the bug the same test passes. `npm test` does the same and fails where a bug is not caught, or where the",
  "piece of source that a bug is put in place of is no longer there. The list is `test/planted-bugs`; production code knows nothing of it.",
  "",
];

const COLUMNS = ["| bug | what is wrong | in | caught by | after |", "|---|---|---|---|---|"];

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
