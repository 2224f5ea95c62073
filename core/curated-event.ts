import { type Decimal, readCurrency, readDecimal, toMinor } from "./money.ts";

/**
 * The columns of a curated file, in order, with types that DuckDB and Redshift both have (but `items`, which Redshift reads as a
 * nested column). Times are UTC. Each (client, event_id) is one row, in all of a client's files together.
 */
export const CURATED_COLUMNS = [
  ["event_id", "VARCHAR"],
  ["timestamp", "TIMESTAMP"],
  ["received_at", "TIMESTAMP"],
  ["client_id", "VARCHAR"],
  ["event_type", "VARCHAR"],
  ["session_id", "VARCHAR"],
  /** As the event itself says. Who it belongs to is told by these and the links, at the time of asking. */
  ["user_id", "VARCHAR"],
  ["anon_id", "VARCHAR"],
  ["country", "VARCHAR"],
  ["city", "VARCHAR"],
  ["device", "VARCHAR"],
  /** `utm_source`, else where the session came from. */
  ["source", "VARCHAR"],
  ["utm_source", "VARCHAR"],
  ["utm_medium", "VARCHAR"],
  ["utm_campaign", "VARCHAR"],
  ["utm_term", "VARCHAR"],
  ["utm_content", "VARCHAR"],
  ["product_id", "VARCHAR"],
  ["category", "VARCHAR"],
  ["quantity", "DECIMAL(18,6)"],
  ["revenue_minor", "BIGINT"],
  ["currency", "VARCHAR"],
  ["revenue_fault", "VARCHAR"],
  ["order_id", "VARCHAR"],
  ["items", "STRUCT(product_id VARCHAR, category VARCHAR, quantity DECIMAL(18,6), revenue_minor BIGINT)[]"],
  ["is_bot", "BOOLEAN"],
  ["props", "VARCHAR"],
  ["source_shard", "VARCHAR"],
  ["source_sequence", "VARCHAR"],
  ["source_index", "INTEGER"],
] as const satisfies readonly (readonly [name: string, type: string])[];

/** What of a curated row is read out of the event's `props`. */
export interface CommerceFacts {
  /** Of an event about one product; null where it names several (see `items`) or none. */
  product_id: string | null;
  category: string | null;
  /** Up to six decimals; null where the event says none, which counts as one. */
  quantity: number | null;
  /** Minor units of `currency`. Only where the event says what was earned: see `readCommerce`. */
  revenue_minor: number | null;
  /** ISO 4217; `XXX` where the sender names none; null with `revenue_minor`. */
  currency: string | null;
  /** Why a sum that was named is no money. */
  revenue_fault: "amount" | "currency" | null;
  order_id: string | null;
  /** Of an event that names two products or more. */
  items: ProductLine[] | null;
}

export interface ProductLine {
  product_id: string | null;
  category: string | null;
  quantity: number | null;
  /** Its price times its quantity, in the event's currency; only in a purchase of which the sum is known. */
  revenue_minor: number | null;
}

/** The event that earns money. */
export const PURCHASE = "purchase";
/** An order that names more products counts the first of them. */
export const MAX_ITEMS = 200;
const MAX_TEXT = 256;
/** A quantity from here on is nothing that anybody sells. */
const MAX_QUANTITY = 1_000_000_000n * 1_000_000_000n;

type Props = Readonly<Record<string, unknown>>;

/**
 * Products and money of an event. What was earned: `props.revenue`; in a purchase that has none `props.value`, else the sum of
 * its products' price times quantity. Of several lines that are named, one without a readable price makes the sum unknown, never smaller.
 */
export function readCommerce(eventType: string, props: Props | null | undefined): CommerceFacts {
  const given = props ?? {};
  const isPurchase = eventType === PURCHASE;
  const listed = listItems(given);
  const lines = (listed ?? [given]).map(readLine);
  const [only] = lines.length === 1 ? lines : [];
  const order_id = readText(given["order_id"]);
  const money = readRevenue(given, isPurchase, lines);
  const lineCurrency = isPurchase ? money.currency : null;
  return {
    product_id: only?.product_id ?? null,
    category: only?.category ?? null,
    quantity: only ? numberOf(only.quantity) : null,
    ...money,
    order_id,
    items: lines.length > 1 ? lines.map((line) => toProductLine(line, lineCurrency)) : null,
  };
}

interface Line {
  product_id: string | null;
  category: string | null;
  price: Amount;
  quantity: Decimal | null;
  /** Price times quantity can be told, where there is a currency. */
  hasAmount: boolean;
}

/** `undefined`: not named. `null`: named, and no number. */
type Amount = Decimal | null | undefined;

function listItems(props: Props): Props[] | null {
  const list = [props["items"], props["products"]].find(Array.isArray) as unknown[] | undefined;
  const items = list?.slice(0, MAX_ITEMS).filter(isObject);
  return items !== undefined && items.length > 0 ? items : null;
}

function readLine(item: Props): Line {
  const price = readAmount(item["price"]);
  const named = readAmount(item["quantity"]);
  const quantity = named === undefined || named === null || named <= 0n ? null : inMillionths(named);
  return {
    product_id: readText(item["product_id"]) ?? readText(item["sku"]),
    category: readText(item["category"]),
    price,
    quantity,
    hasAmount: typeof price === "bigint" && (named === undefined || quantity !== null),
  };
}

function readRevenue(
  props: Props,
  isPurchase: boolean,
  lines: readonly Line[],
): Pick<CommerceFacts, "revenue_minor" | "currency" | "revenue_fault"> {
  const none = { revenue_minor: null, currency: null };
  const revenue = readAmount(props["revenue"]);
  const amount = revenue === undefined && isPurchase ? readAmount(props["value"]) : revenue;
  if (amount === undefined && !(isPurchase && lines.some((line) => line.price !== undefined))) {
    return { ...none, revenue_fault: null };
  }
  const currency = readCurrency(props["currency"]);
  if (currency === null) return { ...none, revenue_fault: "currency" };
  const minor = amount !== undefined ? (amount === null ? null : toMinor(amount, currency)) : sumLines(lines, currency);
  if (minor === null) return { ...none, revenue_fault: "amount" };
  return { revenue_minor: minor, currency, revenue_fault: null };
}

/** Each line is rounded by itself, as it would be on a receipt. */
function sumLines(lines: readonly Line[], currency: string): number | null {
  let sum = 0;
  for (const line of lines) {
    const minor = revenueOf(line, currency);
    if (minor === null) return null;
    sum += minor;
  }
  return Number.isSafeInteger(sum) ? sum : null;
}

function revenueOf({ price, quantity, hasAmount }: Line, currency: string): number | null {
  return hasAmount && typeof price === "bigint" ? toMinor(price, currency, quantity ?? undefined) : null;
}

function toProductLine(line: Line, currency: string | null): ProductLine {
  return {
    product_id: line.product_id,
    category: line.category,
    quantity: numberOf(line.quantity),
    revenue_minor: currency === null ? null : revenueOf(line, currency),
  };
}

/** JSON's `null` is no value. */
function readAmount(value: unknown): Amount {
  return value === undefined || value === null ? undefined : readDecimal(value);
}

function inMillionths(decimal: Decimal): Decimal | null {
  const cut = decimal - (decimal % 1_000n);
  return cut > 0n && decimal < MAX_QUANTITY ? cut : null;
}

function numberOf(decimal: Decimal | null): number | null {
  return decimal === null ? null : Number(decimal / 1_000n) / 1e6;
}

/** Text without white space around it, of at most 256 characters; whole numbers are text, too. Null for anything else. */
function readText(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value + 0) : null;
  if (typeof value !== "string") return null;
  const text = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  return text === "" ? null : [...text].slice(0, MAX_TEXT).join("").toWellFormed();
}

function isObject(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
