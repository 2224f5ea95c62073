import { z } from "zod";

import { lifetimeSchema, reportLifetime } from "../../../analytics/reports/lifetime.ts";
import { inTransaction } from "../../../crm/context.ts";
import { getContact, getContactInput } from "../../../crm/get-contact.ts";
import { defineRoute } from "../../route.ts";

const schema = z
  .object({ contact_id: z.guid(), person: z.string(), ...lifetimeSchema.shape })
  .meta({ id: "ContactLifetime" });

export const getLifetimeRoute = defineRoute({
  method: "get",
  path: "/api/v1/contacts/{id}/lifetime",
  operationId: "getContactLifetime",
  tag: "contacts",
  summary: "What a contact has done and bought so far, and what is to be expected of them",
  scope: "read",
  input: getContactInput,
  responses: { 200: { description: "Their lifetime.", schema } },
  problems: [404],
  async handle({ ctx, input }) {
    const { id: contact_id, person_key: person } = await getContact(ctx, input);
    const lifetime = await inTransaction(ctx, (tx) => reportLifetime(tx, ctx.principal.client_id, person));
    return { status: 200, body: { contact_id, person, ...lifetime } };
  },
});
