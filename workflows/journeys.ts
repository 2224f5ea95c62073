/** Every workflow of the task queue "journeys": what its worker bundles. */
export { resumeCampaign } from "./campaign/resume.ts";
export { journey } from "./journey/journey.ts";
