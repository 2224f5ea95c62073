import { minimise, type Slope } from "./minimise.ts";

/** How far the logarithm of a parameter may lie from where it starts, at most: beyond it a model says nothing else any more. */
const FARTHEST = 9;
/** Nearer than this to the limit: the data asks for a parameter without bound. */
const AT_LIMIT = 0.5;

export interface LogMaximum {
  parameters: number[];
  value: number;
  /** False where the likelihood still grows at the limit of some parameter: the data do not determine it. */
  converged: boolean;
}

/**
 * The parameters, all positive, where `evaluate` is highest. A further start is tried where the one before led nowhere; the
 * first is the centre of where is looked. `evaluate` answers the gradient by the parameters themselves.
 */
export function maximise(evaluate: (parameters: number[]) => Slope, starts: readonly number[][]): LogMaximum {
  const centre = starts[0]!.map(Math.log);
  // A smooth wall: near the centre nothing is distorted, and the optimum is where it was.
  const unfold = (u: readonly number[]) => u.map((x, i) => Math.exp(centre[i]! + FARTHEST * Math.tanh(x / FARTHEST)));
  const fold = (p: readonly number[]) =>
    p.map((x, i) => FARTHEST * Math.atanh(clamp((Math.log(x) - centre[i]!) / FARTHEST)));
  const descend = (u: readonly number[]): Slope => {
    const parameters = unfold(u);
    const { value, gradient } = evaluate(parameters);
    const inner = gradient.map((g, i) => -g * parameters[i]! * (1 - Math.tanh(u[i]! / FARTHEST) ** 2));
    return { value: Number.isFinite(value) ? -value : Infinity, gradient: inner };
  };
  let best: LogMaximum | undefined;
  for (const start of starts) {
    const { at, value, converged } = minimise(descend, fold(start));
    const parameters = unfold(at);
    const isInside = parameters.every((p, i) => Math.abs(Math.log(p) - centre[i]!) < FARTHEST - AT_LIMIT);
    if (best === undefined || -value > best.value)
      best = { parameters, value: -value, converged: converged && isInside };
    if (best.converged) break;
  }
  return best!;
}

const clamp = (x: number) => Math.min(0.99, Math.max(-0.99, x));
