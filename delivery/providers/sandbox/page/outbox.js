// Every word of a message reaches the page as text, never as HTML. A mail's HTML is shown in a frame that may run nothing.
const CHANNELS = { whatsapp: "WhatsApp", sms: "SMS", email: "E-mail", push: "Push" };
const SHOWN = 200;

const byId = (id) => document.querySelector(`#${id}`);
const [feed, empty, live, filters, search, reader] = ["feed", "empty", "live", "filters", "search", "reader"].map(byId);
const messages = new Map();
let channel = null;
let isLoaded = false;

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

function timeOf(message) {
  const time = element("time", null, clock.format(new Date(message.received_at)));
  time.dateTime = message.received_at;
  time.title = new Date(message.received_at).toLocaleString();
  return time;
}

/** WhatsApp's own marks: *bold* and _italic_. */
function marked(text) {
  const parts = text.split(/(\*[^*\n]+\*|\b_[^_\n]+_\b)/g);
  return parts.map((part, i) =>
    i % 2 === 0 ? part : element(part.startsWith("*") ? "b" : "i", null, part.slice(1, -1)),
  );
}

/** Text with its web addresses as links. */
function linked(text, styled) {
  const parts = text.split(/(https?:\/\/[^\s<>"']+)/g);
  return parts.flatMap((part, i) => {
    if (i % 2 === 0) return styled ? marked(part) : part;
    const link = element("a", null, part);
    link.href = part;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  });
}

const avatar = (name) => element("span", "avatar", (/[\p{L}\p{N}]/u.exec(name)?.[0] ?? "?").toUpperCase());

function chatOf(message, note) {
  const bubble = element("div", "bubble", ...linked(message.body, message.channel === "whatsapp"));
  const bar = element(
    "div",
    "bar",
    avatar("Livora"),
    element("span", null, element("b", null, message.from), element("small", null, note)),
  );
  const isSms = message.channel === "sms";
  if (!isSms) bubble.append(timeOf(message));
  return element("div", "screen", bar, element("div", "chat", isSms ? timeOf(message) : null, bubble));
}

function pushOf(message) {
  const at = new Date(message.received_at);
  const title = element("b", null, message.subject ?? message.from);
  return element(
    "div",
    "screen",
    element("div", "clock", element("small", null, day.format(at)), clock.format(at)),
    element("div", "notification", avatar(message.from), title, timeOf(message), element("p", null, message.body)),
  );
}

function mailHeadOf(message) {
  const name = message.from_name ?? message.from;
  const from = element(
    "div",
    "from",
    element("b", null, name),
    " ",
    message.from_name ? element("small", null, message.from) : null,
  );
  return element(
    "div",
    "mail-head",
    avatar(name),
    from,
    timeOf(message),
    element("h2", null, message.subject ?? "(no subject)"),
  );
}

const viewUrl = (message) => `/outbox/${encodeURIComponent(message.id)}/view`;

function mailOf(message) {
  const frame = element("iframe");
  frame.setAttribute("sandbox", "");
  frame.loading = "lazy";
  frame.tabIndex = -1;
  frame.title = "Preview";
  frame.src = viewUrl(message);
  const open = element("button", null, element("span", null, "Open"));
  open.addEventListener("click", () => read(message));
  return element("div", null, mailHeadOf(message), element("div", "preview", frame, open));
}

function tellOpened(message) {
  void fetch(`/outbox/${encodeURIComponent(message.id)}/open`, { method: "POST" });
}

function read(message) {
  byId("reader-head").replaceChildren(mailHeadOf(message));
  byId("reader-body").src = viewUrl(message);
  reader.showModal();
  tellOpened(message);
}

function contentOf(message) {
  if (message.channel === "email") return mailOf(message);
  if (message.channel === "push") return pushOf(message);
  const chat = chatOf(message, message.channel === "whatsapp" ? "Business account" : "Text message");
  if (message.channel === "whatsapp") chat.addEventListener("click", () => tellOpened(message), { once: true });
  return chat;
}

function cardOf(message) {
  const to = element("span", "to", "to ", message.to);
  to.title = message.to;
  const chip = element(
    "span",
    `chip ${message.status}`,
    message.error_code ? `failed · ${message.error_code}` : message.status,
  );
  const meta = element("div", "meta", element("span", "kind", CHANNELS[message.channel] ?? message.channel), to, chip);
  return element("article", `message ${message.channel}`, meta, contentOf(message));
}

function isShown({ message }) {
  const words = search.value.trim().toLowerCase();
  const text = [message.to, message.from, message.subject, message.body].join("\n").toLowerCase();
  return (channel === null || message.channel === channel) && text.includes(words);
}

function refresh() {
  const entries = [...messages.values()];
  for (const entry of entries) entry.card.hidden = !isShown(entry);
  empty.hidden = !isLoaded || entries.length > 0;
  filters.replaceChildren(...[null, ...Object.keys(CHANNELS)].map((name) => filterButton(name, entries)));
}

function filterButton(name, entries) {
  const count = entries.filter(({ message }) => name === null || message.channel === name).length;
  const button = element("button", null, name === null ? "All" : CHANNELS[name], element("span", null, String(count)));
  button.type = "button";
  button.setAttribute("aria-pressed", String(channel === name));
  button.addEventListener("click", () => {
    channel = name;
    refresh();
  });
  return button;
}

/** Puts a message at the top, or a changed one where it was. */
function show(message, isFresh) {
  const known = messages.get(message.id);
  if (known) {
    const chip = known.card.querySelector(".chip");
    chip.className = `chip ${message.status}`;
    chip.textContent = message.status;
    known.message = message;
    return;
  }
  const card = cardOf(message);
  if (isFresh) card.classList.add("fresh");
  messages.set(message.id, { message, card });
  feed.prepend(card);
  while (messages.size > SHOWN) forget(messages.keys().next().value);
}

function forget(id) {
  messages.get(id).card.remove();
  messages.delete(id);
}

function setLive(isOn) {
  live.textContent = isOn ? "live" : "reconnecting";
  live.classList.toggle("on", isOn);
}

async function load(isFresh) {
  const response = await fetch("/outbox/messages");
  isLoaded = true;
  for (const message of (await response.json()).toReversed()) show(message, isFresh && !messages.has(message.id));
  refresh();
}

search.addEventListener("input", refresh);
const stream = new EventSource("/outbox/stream");
// What came while the connection was away is fetched when it is back.
stream.addEventListener("open", () => {
  setLive(true);
  void load(messages.size > 0);
});
stream.addEventListener("error", () => setLive(false));
stream.addEventListener("message", (event) => {
  show(JSON.parse(event.data), true);
  refresh();
});
refresh();
