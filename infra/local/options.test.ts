import { describe, expect, it } from "vitest";

import { HELP, parseOptions } from "./options.ts";

describe("parseOptions", () => {
  it("plays the shop on the standard ports where nothing is said", () => {
    expect(parseOptions([])).toEqual({ demo: true, portBase: undefined, help: false });
  });

  it("takes --no-demo and --port-base", () => {
    expect(parseOptions(["--no-demo", "--port-base", "17000"])).toMatchObject({ demo: false, portBase: 17_000 });
  });

  it.each(["80", "65530", "many"])("refuses --port-base %s", (base) => {
    expect(() => parseOptions(["--port-base", base])).toThrow("--port-base takes a number from 1024 to");
  });

  it("refuses what it does not know", () => {
    expect(() => parseOptions(["--demo=no"])).toThrow("--demo");
  });

  it("is documented", () => {
    for (const word of ["--no-demo", "--port-base", "LIVORA_TEMPORAL_WEB_PORT", "LIVORA_DATA_DIR"])
      expect(HELP).toContain(word);
  });
});
