import type { Catcher, PlantedBug } from "./bug.ts";

const caughtBy: readonly [Catcher] = [
  {
    file: "test/simulation/journeys.test.ts",
    test: "a journey's workflow heeds what it was told, does nothing twice, and does the same again when it is played back",
  },
];

/** Of workflow code. Temporal's own tests bundle it from disk, where no bug is ever put; the simulation runs it as it is read. */
export const DRIVER_BUGS: readonly PlantedBug[] = [
  {
    name: "stop-of-another-run",
    says: "A run is stopped by what was meant for the one that had its workflow id before.",
    file: "workflows/journey/inbox.ts",
    finds: 'if (signal.run_id === run_id) inputs.push({ type: "stop", reason: signal.reason });',
    becomes: 'inputs.push({ type: "stop", reason: signal.reason });',
    caughtBy,
  },
  {
    name: "inbox-is-not-emptied",
    says: "Of what came in while a message was under way only the first is heard before the next is begun.",
    file: "workflows/journey/journey.ts",
    finds: "for (let input = run.inbox.take(); input !== undefined; input = run.inbox.take()) takeStep(run, input);",
    becomes: "const input = run.inbox.take();\n  if (input !== undefined) takeStep(run, input);",
    caughtBy,
  },
  {
    name: "definition-is-not-compared",
    says: "A run goes the way of whatever its version has become.",
    file: "workflows/journey/journey.ts",
    finds: "if (hash !== input.definition_hash) {",
    becomes: 'if (hash === "") {',
    caughtBy,
  },
  {
    name: "new-execution-begins-again",
    says: "Continued as new, a run begins at its beginning.",
    file: "workflows/journey/journey.ts",
    finds: "{ ...run.input, state: run.state }",
    becomes: "{ ...run.input }",
    caughtBy,
  },
  {
    name: "new-execution-drops-the-inbox",
    says: "What came in just before a run is continued as new is heard by nobody.",
    file: "workflows/journey/journey.ts",
    finds: `    takeSteps(run);
    const { pending } = run.state;`,
    becomes: `    if (isHistoryLong()) await continueAsNew<typeof journey>({ ...run.input, state: run.state });
    takeSteps(run);
    const { pending } = run.state;`,
    caughtBy,
  },
  {
    name: "failure-is-a-stop",
    says: "A run that could not go on counts as stopped, and its failure is nobody's.",
    file: "workflows/journey/journey.ts",
    finds: '{ state: "failed", reason: reasonOf(error) }',
    becomes: '{ state: "stopped", reason: reasonOf(error) }',
    caughtBy,
  },
];
