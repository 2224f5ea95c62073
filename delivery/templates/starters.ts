import type { StarterTemplate } from "../../core/starter-template.ts";
import type { Channel } from "../../core/message.ts";
import { mailBody } from "./mail-body.ts";

export interface TemplateContent {
  subject: string | null;
  body: string;
  content_sid: string | null;
  content_variables: Record<string, string> | null;
}

type Texts = Record<Channel, { subject?: string; body: string }>;

const NAME = "{{ contact.first_name | default: 'there' }}";
const THING = "{{ event.props.name | default: 'what you chose' }}";
const HERE = "{% if cart.url %}{{ cart.url | safe_url }}{% endif %}";
const CODE = "{{ event.props.coupon_code | default: 'COMEBACK10' }}";

const TEXTS: Record<StarterTemplate, Texts> = {
  reminder: {
    whatsapp: { body: `Hi ${NAME} 👋\nYour cart is still waiting for you: ${THING}.\n${HERE}` },
    sms: { body: `{{ client.name }}: ${THING} is still in your cart. ${HERE}` },
    email: {
      subject: `${NAME}, your cart is waiting`,
      body: mailBody({
        title: "You left something behind",
        text: `Hi ${NAME}, <b>${THING}</b> is still in your cart. We have kept it for you.`,
        button: "Back to my cart",
      }),
    },
    push: { subject: "Your cart is waiting", body: `${THING} is still in your cart.` },
  },
  coupon: {
    whatsapp: { body: `Hi ${NAME}, here is 10 % off your cart, with the code *${CODE}*.\n${HERE}` },
    sms: { body: `{{ client.name }}: 10 % off your cart with the code ${CODE}. ${HERE}` },
    email: {
      subject: `${NAME}, 10 % off what is in your cart`,
      body: mailBody({
        title: "Still thinking about it?",
        text: `Hi ${NAME}, take 10 % off your cart with the code <b>${CODE}</b>.`,
        button: "Use my code",
      }),
    },
    push: { subject: "10 % off your cart", body: `Use the code ${CODE}.` },
  },
  welcome: {
    whatsapp: { body: `Welcome to {{ client.name }}, ${NAME}! It is good to have you here.` },
    sms: { body: `Welcome to {{ client.name }}, ${NAME}!` },
    email: {
      subject: "Welcome to {{ client.name }}",
      body: mailBody({ title: `Welcome, ${NAME}`, text: "It is good to have you here.", button: "Have a look around" }),
    },
    push: { subject: "Welcome", body: `It is good to have you here, ${NAME}.` },
  },
  winback: {
    whatsapp: { body: `Hi ${NAME}, it has been a while. There is a lot that is new at {{ client.name }}.` },
    sms: { body: `{{ client.name }}: it has been a while, ${NAME}. Come and see what is new.` },
    email: {
      subject: `It has been a while, ${NAME}`,
      body: mailBody({
        title: "We have missed you",
        text: `Hi ${NAME}, a lot is new since your last visit.`,
        button: "See what is new",
      }),
    },
    push: { subject: "We have missed you", body: "Come and see what is new." },
  },
};

/** What a name that nobody has defined says: plain, true of any campaign, and safe to send. */
const PLAIN: Texts = {
  whatsapp: { body: `Hi ${NAME}, there is news for you at {{ client.name }}.` },
  sms: { body: "{{ client.name }}: there is news for you." },
  email: {
    subject: "News from {{ client.name }}",
    body: mailBody({ title: "There is news for you", text: `Hi ${NAME}, have a look.`, button: "Have a look" }),
  },
  push: { subject: "{{ client.name }}", body: "There is news for you." },
};

export function starterTemplate(channel: Channel, name: StarterTemplate): TemplateContent {
  return contentOf(TEXTS[name][channel]);
}

export function plainTemplate(channel: Channel): TemplateContent {
  return contentOf(PLAIN[channel]);
}

function contentOf({ subject = null, body }: { subject?: string | null; body: string }): TemplateContent {
  return { subject, body, content_sid: null, content_variables: null };
}
