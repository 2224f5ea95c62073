/** Every workflow of the task queue "ad-hoc": what its worker bundles. */
export { answerQuestion } from "./ad-hoc/answer-question.ts";
