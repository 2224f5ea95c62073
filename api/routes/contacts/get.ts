import { contactSchema } from "../../../crm/contact.ts";
import { getContact, getContactInput } from "../../../crm/get-contact.ts";
import { defineRoute } from "../../route.ts";

export const getContactRoute = defineRoute({
  method: "get",
  path: "/api/v1/contacts/{id}",
  operationId: "getContact",
  tag: "contacts",
  summary: "A contact, by its UUID or by user_id",
  scope: "read",
  input: getContactInput,
  responses: { 200: { description: "The contact.", schema: contactSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getContact(ctx, input) }),
});
