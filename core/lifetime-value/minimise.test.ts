import * as fc from "fast-check";
import { expect, test } from "vitest";

import { maximise } from "./log-parameters.ts";
import { minimise, type Slope } from "./minimise.ts";

const banana = ([x, y]: readonly number[]): Slope => ({
  value: 100 * (y! - x! ** 2) ** 2 + (1 - x!) ** 2,
  gradient: [-400 * x! * (y! - x! ** 2) - 2 * (1 - x!), 200 * (y! - x! ** 2)],
});

test("finds the bottom of a bent valley from anywhere, and the same one each time", () => {
  const coordinate = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(coordinate, coordinate, (x, y) => {
      const found = minimise(banana, [x, y]);
      expect(found.converged).toBe(true);
      expect(found.at[0]).toBeCloseTo(1, 6);
      expect(found.at[1]).toBeCloseTo(1, 6);
      expect(minimise(banana, [x, y])).toEqual(found);
    }),
  );
});

const endless = ([x]: readonly number[]): Slope => ({ value: -Math.log(x!), gradient: [-1 / x!] });

test("where it slopes without end it says so", () => {
  expect(minimise(endless, [1]).converged).toBe(false);
});

/** The first wants to be infinite, the second e. */
const grows = ([x, y]: readonly number[]): Slope => ({
  value: -1 / x! - (Math.log(y!) - 1) ** 2,
  gradient: [1 / x! ** 2, (-2 * (Math.log(y!) - 1)) / y!],
});

test("parameters that want to be infinite or nothing end at the limit, and that is said", () => {
  const found = maximise(grows, [[1, 1]]);
  expect(found.converged).toBe(false);
  expect(found.parameters[0]).toBeGreaterThan(1_000);
  expect(found.parameters[1]).toBeCloseTo(Math.E, 4);
});
