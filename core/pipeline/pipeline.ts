import { z } from "zod";

export const STAGE_KINDS = ["open", "won", "lost"] as const;
export type StageKind = (typeof STAGE_KINDS)[number];

const MAX_STAGES = 50;

const keySchema = () =>
  z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_-]{0,62}$/,
      "small letters, digits, - and _, beginning with a letter or digit, at most 63",
    );
export const pipelineIdSchema = keySchema();
export const stageKeySchema = keySchema();

const nameSchema = z.string().trim().min(1).max(200);

const stageSchema = z
  .strictObject({
    stage: stageKeySchema.meta({ description: "What deals, events and reports call it." }),
    name: nameSchema,
    kind: z.enum(STAGE_KINDS).meta({ description: "A deal in a stage of the kind `won` or `lost` is closed." }),
    probability: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({ description: "That a deal here is won in the end: what a forecast begins with. 1 of won, 0 of lost." }),
  })
  .refine(({ kind, probability }) => kind !== "open" || probability !== undefined, {
    path: ["probability"],
    error: "an open stage needs one",
  })
  .refine(({ kind, probability = impliedBy(kind) }) => kind === "open" || probability === impliedBy(kind), {
    path: ["probability"],
    error: "is 1 where the kind is won and 0 where it is lost",
  })
  .transform(({ probability, ...stage }): Stage => ({ ...stage, probability: probability ?? impliedBy(stage.kind) }));

export interface Stage {
  stage: string;
  name: string;
  kind: StageKind;
  /** Of being won in the end, as its owner believes. */
  probability: number;
}

/** As people see them, from left to right. */
const stagesSchema = z
  .array(stageSchema)
  .min(3)
  .max(MAX_STAGES)
  .superRefine((stages, context) => {
    for (const kind of STAGE_KINDS) {
      if (!stages.some((stage) => stage.kind === kind)) {
        context.addIssue({ code: "custom", message: `lacks a stage of the kind ${kind}` });
      }
    }
    for (const [index, { stage }] of stages.entries()) {
      if (stages.findIndex((other) => other.stage === stage) < index) {
        context.addIssue({ code: "custom", path: [index, "stage"], message: "is there twice" });
      }
    }
  });

/** A pipeline as it is sent. */
export const pipelineSchema = z.strictObject({
  pipeline_id: pipelineIdSchema,
  name: nameSchema,
  stages: stagesSchema,
});

function impliedBy(kind: StageKind): number {
  return kind === "won" ? 1 : 0;
}

/** What every client has from the beginning. */
export const DEFAULT_PIPELINE: { id: string; name: string; stages: readonly Stage[] } = {
  id: "sales",
  name: "Sales",
  stages: [
    { stage: "lead", name: "Lead", kind: "open", probability: 0.1 },
    { stage: "qualified", name: "Qualified", kind: "open", probability: 0.25 },
    { stage: "proposal", name: "Proposal", kind: "open", probability: 0.5 },
    { stage: "negotiation", name: "Negotiation", kind: "open", probability: 0.75 },
    { stage: "won", name: "Won", kind: "won", probability: 1 },
    { stage: "lost", name: "Lost", kind: "lost", probability: 0 },
  ],
};
