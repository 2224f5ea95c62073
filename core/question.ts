import type { AdHocInput, Question } from "./contracts/ad-hoc.ts";
import { canonicalJson } from "./journey/hash.ts";
import { uuidOf } from "./uuid.ts";

/** A question asked of some state of the data: asked again it is the same one, whoever asks and however its parts are ordered. */
export function identifyQuestion(clientId: string, { kind, params }: Question, dataVersion: string): AdHocInput {
  const question_id = uuidOf("question", clientId, kind, canonicalJson(params), dataVersion);
  return { client_id: clientId, question_id, kind, params, data_version: dataVersion };
}
