import { createHash } from "node:crypto";

/** Everything that a tile looks like: nothing is fetched from anywhere. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #e4e7ec; --bar: #3b6fe0; --rest: #eef2f9; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaf0; --soft: #98a2b3; --line: #2c3444; --bar: #6f9bff; --rest: #222a38; --paper: #151a23; }
}
* { box-sizing: border-box; margin: 0; }
body { font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: var(--paper); padding: 20px 24px; }
main { max-width: 960px; margin: 0 auto; }
h1 { font-size: 17px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 13px; font-weight: 600; margin: 22px 0 8px; }
.about { color: var(--soft); font-size: 12.5px; margin: 2px 0 18px; }
footer { color: var(--soft); font-size: 12px; margin-top: 18px; }
.step { margin-bottom: 14px; }
.step p { display: flex; gap: 10px; align-items: baseline; margin-bottom: 4px; }
.step .name { font-weight: 550; overflow-wrap: anywhere; }
.step .count { margin-left: auto; font-weight: 650; font-variant-numeric: tabular-nums; }
.step .share { color: var(--soft); min-width: 58px; text-align: right; font-variant-numeric: tabular-nums; }
svg.bar { display: block; width: 100%; height: 14px; }
.bar .rest { fill: var(--rest); }
.bar .part { fill: var(--bar); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 550; font-size: 12px; white-space: nowrap; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th:first-child, td:first-child { padding-left: 0; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.heat td { padding: 5px 8px; border-bottom: 2px solid var(--paper); border-left: 2px solid var(--paper); }
.heat td:first-child { padding-left: 0; border-left: 0; }
${shades()}
.below { margin: 10px 0 0; }
.none { color: var(--soft); padding: 24px 0; text-align: center; }
`;

/** Steps of the bar's colour, light enough that the ink can be read on each. */
function shades(): string {
  return Array.from({ length: 11 }, (_, nth) => shadeOf(nth)).join("\n");
}

function shadeOf(nth: number): string {
  const share = nth === 0 ? 0 : nth * 6 + 6;
  return `.shade-${nth} { background: color-mix(in srgb, var(--bar) ${share}%, var(--paper)); }`;
}

/** For the page's policy: this style and no other. */
export const STYLE_HASH = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;
