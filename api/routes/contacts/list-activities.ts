import { activitySchema } from "../../../crm/activity.ts";
import { listContactActivities, listContactActivitiesInput } from "../../../crm/list-contact-activities.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listActivitiesRoute = defineRoute({
  method: "get",
  path: "/api/v1/contacts/{id}/activities",
  operationId: "listContactActivities",
  tag: "contacts",
  summary: "What happened to a contact, newest first",
  scope: "read",
  input: listContactActivitiesInput,
  responses: { 200: { description: "A page of it.", schema: pageOf("activities", activitySchema) } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await listContactActivities(ctx, input) }),
});
