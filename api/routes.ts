import type { Route } from "./route.ts";
import { listAuditsRoute } from "./routes/audits/list.ts";
import { cancelBackfillRoute } from "./routes/backfills/cancel.ts";
import { getBackfillRoute } from "./routes/backfills/get.ts";
import { listBackfillsRoute } from "./routes/backfills/list.ts";
import { pauseBackfillRoute } from "./routes/backfills/pause.ts";
import { readBackfillRejectsRoute } from "./routes/backfills/rejects.ts";
import { resumeBackfillRoute } from "./routes/backfills/resume.ts";
import { startBackfillRoute } from "./routes/backfills/start.ts";
import { campaignRoute } from "./routes/analytics/campaign.ts";
import { cohortsRoute } from "./routes/analytics/cohorts.ts";
import { experimentRoute } from "./routes/analytics/experiment.ts";
import { funnelRoute } from "./routes/analytics/funnel.ts";
import { graphqlRoute } from "./routes/analytics/graphql.ts";
import { ltvModelRoute } from "./routes/analytics/ltv-model.ts";
import { ltvRoute } from "./routes/analytics/ltv.ts";
import { overviewRoute } from "./routes/analytics/overview.ts";
import { productsRoute } from "./routes/analytics/products.ts";
import { pipelineRoute } from "./routes/analytics/pipeline.ts";
import { getQuestionRoute } from "./routes/analytics/question.ts";
import { sessionsRoute } from "./routes/analytics/sessions.ts";
import { sourcesRoute } from "./routes/analytics/sources.ts";
import { backtestCampaignRoute } from "./routes/campaigns/backtest.ts";
import { createCampaignRoute } from "./routes/campaigns/create.ts";
import { getCampaignRoute } from "./routes/campaigns/get.ts";
import { listDeliveriesRoute } from "./routes/campaigns/list-deliveries.ts";
import { listRunsRoute } from "./routes/campaigns/list-runs.ts";
import { listCampaignsRoute } from "./routes/campaigns/list.ts";
import { pauseCampaignRoute } from "./routes/campaigns/pause.ts";
import { publishCampaignRoute } from "./routes/campaigns/publish.ts";
import { rehearseCampaignRoute } from "./routes/campaigns/rehearse.ts";
import { resumeCampaignRoute } from "./routes/campaigns/resume.ts";
import { createCompanyRoute } from "./routes/companies/create.ts";
import { getCompanyRoute } from "./routes/companies/get.ts";
import { listCompaniesRoute } from "./routes/companies/list.ts";
import { getContactRoute } from "./routes/contacts/get.ts";
import { getLifetimeRoute } from "./routes/contacts/lifetime.ts";
import { listActivitiesRoute } from "./routes/contacts/list-activities.ts";
import { cancelReplayRoute } from "./routes/dead-letters/cancel-replay.ts";
import { discardDeadLettersRoute } from "./routes/dead-letters/discard.ts";
import { getReplayRoute } from "./routes/dead-letters/get-replay.ts";
import { getDeadLetterRoute } from "./routes/dead-letters/get.ts";
import { groupDeadLettersRoute } from "./routes/dead-letters/group.ts";
import { listReplaysRoute } from "./routes/dead-letters/list-replays.ts";
import { listDeadLettersRoute } from "./routes/dead-letters/list.ts";
import { pauseReplayRoute } from "./routes/dead-letters/pause-replay.ts";
import { previewPatchRoute } from "./routes/dead-letters/preview.ts";
import { resumeReplayRoute } from "./routes/dead-letters/resume-replay.ts";
import { startReplayRoute } from "./routes/dead-letters/start-replay.ts";
import { changeDealRoute } from "./routes/deals/change.ts";
import { createDealRoute } from "./routes/deals/create.ts";
import { getDealRoute } from "./routes/deals/get.ts";
import { listDealChangesRoute } from "./routes/deals/list-changes.ts";
import { listDealsRoute } from "./routes/deals/list.ts";
import { moveDealRoute } from "./routes/deals/move.ts";
import { configureEmbedsRoute } from "./routes/embeds/configure.ts";
import { createEmbedRoute } from "./routes/embeds/create.ts";
import { listEmbedsRoute } from "./routes/embeds/list.ts";
import { revokeEmbedRoute } from "./routes/embeds/revoke.ts";
import { readEmbedRoute, showEmbedRoute } from "./routes/embeds/show.ts";
import { cancelEtlRunRoute } from "./routes/etl/cancel.ts";
import { getEtlRunRoute } from "./routes/etl/get.ts";
import { listEtlRunsRoute } from "./routes/etl/list.ts";
import { pauseEtlRunRoute } from "./routes/etl/pause.ts";
import { resumeEtlRunRoute } from "./routes/etl/resume.ts";
import { startEtlRunRoute } from "./routes/etl/start.ts";
import { createExperimentRoute } from "./routes/experiments/create.ts";
import { endExperimentRoute } from "./routes/experiments/end.ts";
import { getExperimentRoute } from "./routes/experiments/get.ts";
import { listExperimentsRoute } from "./routes/experiments/list.ts";
import { getLiveRoute } from "./routes/live/get.ts";
import { createPipelineRoute } from "./routes/pipelines/create.ts";
import { listPipelinesRoute } from "./routes/pipelines/list.ts";
import { explainRunRoute } from "./routes/runs/explain.ts";
import { getCanonicalEventRoute } from "./routes/schemas/canonical.ts";
import { configureSchemaRoute } from "./routes/schemas/configure.ts";
import { getSchemaRoute } from "./routes/schemas/get.ts";
import { listSchemasRoute } from "./routes/schemas/list.ts";
import { registerSchemaRoute } from "./routes/schemas/register.ts";
import { readViolationsRoute } from "./routes/schemas/violations.ts";
import { changeStreamRoute } from "./routes/stream/change.ts";
import { configureStreamRoute } from "./routes/stream/configure.ts";
import { getStreamRoute } from "./routes/stream/get.ts";
import { getTemplateRoute } from "./routes/templates/get.ts";
import { putTemplateRoute } from "./routes/templates/put.ts";
import { sendgridWebhook } from "./routes/webhooks/sendgrid.ts";
import { twilioWebhook } from "./routes/webhooks/twilio.ts";

/** Everything that the API answers, in the order of its documentation. */
export const ROUTES: readonly Route[] = [
  createCampaignRoute,
  listCampaignsRoute,
  getCampaignRoute,
  publishCampaignRoute,
  rehearseCampaignRoute,
  backtestCampaignRoute,
  pauseCampaignRoute,
  resumeCampaignRoute,
  listDeliveriesRoute,
  listRunsRoute,
  explainRunRoute,
  getContactRoute,
  listActivitiesRoute,
  getLifetimeRoute,
  createCompanyRoute,
  listCompaniesRoute,
  getCompanyRoute,
  createPipelineRoute,
  listPipelinesRoute,
  createDealRoute,
  listDealsRoute,
  getDealRoute,
  changeDealRoute,
  moveDealRoute,
  listDealChangesRoute,
  putTemplateRoute,
  getTemplateRoute,
  listDeadLettersRoute,
  getDeadLetterRoute,
  groupDeadLettersRoute,
  previewPatchRoute,
  startReplayRoute,
  listReplaysRoute,
  getReplayRoute,
  pauseReplayRoute,
  resumeReplayRoute,
  cancelReplayRoute,
  discardDeadLettersRoute,
  startBackfillRoute,
  listBackfillsRoute,
  getBackfillRoute,
  readBackfillRejectsRoute,
  pauseBackfillRoute,
  resumeBackfillRoute,
  cancelBackfillRoute,
  startEtlRunRoute,
  listEtlRunsRoute,
  getEtlRunRoute,
  pauseEtlRunRoute,
  resumeEtlRunRoute,
  cancelEtlRunRoute,
  getLiveRoute,
  overviewRoute,
  productsRoute,
  sessionsRoute,
  ltvRoute,
  ltvModelRoute,
  funnelRoute,
  cohortsRoute,
  pipelineRoute,
  sourcesRoute,
  campaignRoute,
  experimentRoute,
  createExperimentRoute,
  listExperimentsRoute,
  getExperimentRoute,
  endExperimentRoute,
  getQuestionRoute,
  graphqlRoute,
  createEmbedRoute,
  listEmbedsRoute,
  configureEmbedsRoute,
  revokeEmbedRoute,
  showEmbedRoute,
  readEmbedRoute,
  listAuditsRoute,
  listSchemasRoute,
  getSchemaRoute,
  registerSchemaRoute,
  configureSchemaRoute,
  readViolationsRoute,
  getCanonicalEventRoute,
  getStreamRoute,
  changeStreamRoute,
  configureStreamRoute,
  twilioWebhook,
  sendgridWebhook,
];
