import type { Route } from "./route.ts";
import { createCampaignRoute } from "./routes/campaigns/create.ts";
import { getCampaignRoute } from "./routes/campaigns/get.ts";
import { listDeliveriesRoute } from "./routes/campaigns/list-deliveries.ts";
import { listRunsRoute } from "./routes/campaigns/list-runs.ts";
import { listCampaignsRoute } from "./routes/campaigns/list.ts";
import { pauseCampaignRoute } from "./routes/campaigns/pause.ts";
import { publishCampaignRoute } from "./routes/campaigns/publish.ts";
import { resumeCampaignRoute } from "./routes/campaigns/resume.ts";
import { getContactRoute } from "./routes/contacts/get.ts";
import { listActivitiesRoute } from "./routes/contacts/list-activities.ts";
import { listDeadLettersRoute } from "./routes/dead-letters/list.ts";
import { getLiveRoute } from "./routes/live/get.ts";
import { explainRunRoute } from "./routes/runs/explain.ts";
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
  pauseCampaignRoute,
  resumeCampaignRoute,
  listDeliveriesRoute,
  listRunsRoute,
  explainRunRoute,
  getContactRoute,
  listActivitiesRoute,
  putTemplateRoute,
  getTemplateRoute,
  listDeadLettersRoute,
  getLiveRoute,
  twilioWebhook,
  sendgridWebhook,
];
