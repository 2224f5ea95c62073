import { MAX_ITEMS, PURCHASE } from "../../core/curated-event.ts";
import { CURRENCY_EXPONENTS, NO_CURRENCY } from "../../core/money.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

/**
 * What `readCommerce` in core/curated-event.ts says, as SQL: ten million events a night are more than JavaScript should parse. A
 * property test holds the two against each other. Adds to `rows` (event_type, props as JSON) the columns of `CommerceFacts`.
 *
 * Each step names what the next one uses: what stands in a CASE twice, DuckDB would compute twice.
 */
export function readCommerceSql(rows: string): string {
  const steps = [
    `SELECT *, event_type = ${quote(PURCHASE)} AS is_purchase, from_json(coalesce(props, '{}'), ${quote(JSON.stringify(PROPS))}) AS p`,
    `SELECT *, ${OBJECTS} AS objects`,
    `SELECT * REPLACE (CASE WHEN len(objects) > 1 THEN objects END AS objects),
      ${currency("p.currency")} AS stated,
      CASE WHEN objects IS NULL THEN ${lineFields("p")} WHEN len(objects) = 1 THEN ${lineFields("objects[1]")} END AS one`,
    `SELECT *,
      ${factor("stated")} AS unit,
      ${decimal("one.quantity", 6)} AS one_read,
      CASE WHEN is_purchase THEN ${decimal("one.price")} END AS one_price,
      CASE WHEN p.revenue IS NOT NULL THEN ${decimal("p.revenue")} WHEN is_purchase THEN ${decimal("p.value")} END AS named,
      CASE WHEN objects IS NOT NULL THEN list_transform(objects, lambda o: ${lineOf("o")}) END AS many,
      p.revenue IS NOT NULL OR (is_purchase AND p.value IS NOT NULL) AS is_named,
      is_purchase AND CASE WHEN objects IS NULL THEN one.price IS NOT NULL ELSE len(list_filter(objects, lambda o: o.price IS NOT NULL)) > 0 END AS has_price`,
    `SELECT *, ${sold("one_read")} AS one_quantity`,
    `SELECT *,
      CASE WHEN is_named THEN named WHEN has_price THEN ${product("one_price", "one_quantity")} END AS amount,
      CASE WHEN has_price AND NOT is_named THEN list_transform(many, lambda line: ${toMinor(product("line.price", "line.quantity"), "unit", "line.has_amount")}) END AS lines`,
    `SELECT *, ${MONEY} AS money`,
    `SELECT * EXCLUDE (p, objects, one, many, unit, money, is_purchase, is_named, has_price, stated, one_read, one_price, one_quantity, named, amount, lines),
      ${text("one.product_id", "one.sku")} AS product_id,
      ${text("one.category")} AS category,
      one_quantity AS quantity,
      money AS revenue_minor,
      CASE WHEN money IS NOT NULL THEN stated END AS currency,
      CASE WHEN NOT (is_named OR has_price) THEN NULL WHEN stated IS NULL THEN 'currency' WHEN money IS NULL THEN 'amount' END AS revenue_fault,
      ${text("p.order_id")} AS order_id,
      CASE WHEN many IS NOT NULL THEN list_transform(many, lambda line: {
        'product_id': line.product_id, 'category': line.category, 'quantity': line.quantity,
        'revenue_minor': CASE WHEN money IS NOT NULL AND is_purchase THEN ${toMinor(product("line.price", "line.quantity"), "unit", "line.has_amount")} END
      }) END AS items`,
  ];
  return steps.reduce((before, step) => `${step} FROM (${before})`, `FROM ${rows}`);
}

const LINE = { product_id: "JSON", sku: "JSON", category: "JSON", price: "JSON", quantity: "JSON" };
const PROPS = {
  ...LINE,
  revenue: "JSON",
  value: "JSON",
  currency: "JSON",
  order_id: "JSON",
  items: "JSON",
  products: "JSON",
};
const SPACE = "' ' || chr(9) || chr(10) || chr(13)";

/** The lines of an order that are objects; NULL where there are none. */
const OBJECTS = `CASE WHEN p.items IS NULL AND p.products IS NULL THEN NULL WHEN coalesce(left(CAST(p.items AS VARCHAR), 1) = '[', FALSE) OR coalesce(left(CAST(p.products AS VARCHAR), 1) = '[', FALSE) THEN
  nullif(list_transform(
    list_filter(
      from_json(CASE WHEN coalesce(left(CAST(p.items AS VARCHAR), 1) = '[', FALSE) THEN p.items ELSE p.products END, '["JSON"]')[1:${MAX_ITEMS}],
      lambda o: left(CAST(o AS VARCHAR), 1) = '{'),
    lambda o: from_json(o, ${quote(JSON.stringify(LINE))})), [])
  END`;

function lineFields(struct: string): string {
  const fields = Object.keys(LINE).map((name) => `'${name}': ${struct}.${name}`);
  return `{${fields.join(", ")}}`;
}

function lineOf(object: string): string {
  return `{
    'product_id': ${text(`${object}.product_id`, `${object}.sku`)}, 'category': ${text(`${object}.category`)},
    'price': ${decimal(`${object}.price`)}, 'quantity': ${sold(decimal(`${object}.quantity`, 6))},
    'has_amount': ${object}.quantity IS NULL OR ${sold(decimal(`${object}.quantity`, 6))} IS NOT NULL
  }`;
}

const HAS_AMOUNT = "(is_named OR one.quantity IS NULL OR one_quantity IS NOT NULL)";

/** Of several lines, one that cannot be told makes the sum unknown. */
const MONEY = `CASE WHEN NOT (is_named OR has_price) THEN NULL
  WHEN is_named OR many IS NULL THEN ${toMinor("amount", "unit", HAS_AMOUNT)}
  WHEN list_count(lines) = len(lines) THEN ${safe("CAST(list_sum(lines) AS HUGEINT)")} END`;

/** The first of some JSON values that is text, or a whole number. */
function text(...values: string[]): string {
  return `coalesce(${values.map(textOf).join(", ")})`;
}

function textOf(json: string): string {
  const number = `TRY_CAST(${json} AS DOUBLE)`;
  return `CASE WHEN left(CAST(${json} AS VARCHAR), 1) = '"' THEN nullif(left(trim(${json} ->> '$', ${SPACE}), 256), '')
    WHEN ${isNumber(json)} AND ${number} = trunc(${number}) AND abs(${number}) <= 9007199254740991 THEN CAST(CAST(${number} AS BIGINT) AS VARCHAR) END`;
}

function isNumber(json: string): string {
  return `contains('-0123456789', left(CAST(${json} AS VARCHAR), 1))`;
}

/** NULL where it is no number that could be told for sure. Digits that are too many are cut off. */
function decimal(json: string, digits = 9): string {
  const type = `DECIMAL(${digits + 12}, ${digits})`;
  const pattern = `^[ \\t\\r\\n]*(?:\\+|(-))?(\\d{1,12})(?:\\.(\\d{0,${digits}})\\d*)?[ \\t\\r\\n]*$`;
  const plain = `regexp_replace(${json} ->> '$', '${pattern}', '\\1\\2.\\30')`;
  return `CASE WHEN ${json} IS NULL THEN NULL
    WHEN regexp_full_match(${json} ->> '$', '${USUAL}') THEN TRY_CAST(${json} ->> '$' AS ${type})
    WHEN ${isNumber(json)} AND abs(TRY_CAST(${json} AS DOUBLE)) < 0.0001 THEN 0
    WHEN regexp_matches(${json} ->> '$', '${pattern}') THEN TRY_CAST(${plain} AS ${type}) END`;
}

/** What nearly all numbers look like: those need not be looked at any closer. */
const USUAL = "\\d{1,9}(\\.\\d{1,4})?";

/** A number of pieces that anybody sells. */
function sold(pieces: string): string {
  return `(CASE WHEN ${pieces} > 0 AND ${pieces} < 1000000000 THEN CAST(${pieces} AS DECIMAL(18, 6)) END)`;
}

function product(price: string, count: string): string {
  return `(CAST(${price} AS DECIMAL(21, 9)) * CAST(coalesce(${count}, 1) AS DECIMAL(15, 6)))`;
}

function currency(json: string): string {
  const code = `upper(trim(${json} ->> '$', ${SPACE}))`;
  return `CASE WHEN ${json} IS NULL OR CAST(${json} AS VARCHAR) = '""' THEN '${NO_CURRENCY}'
    WHEN left(CAST(${json} AS VARCHAR), 1) = '"' AND ${isOneOf(code, [...CURRENCY_EXPONENTS.keys()])} THEN ${code} END`;
}

/** Codes of three letters. Not by IN: of a long list DuckDB makes a join, and of dozens of those a plan that takes longer than the rows. */
function isOneOf(code: string, codes: readonly string[]): string {
  return `(length(${code}) = 3 AND contains(${quote(`,${codes.join(",")},`)}, ',' || ${code} || ','))`;
}

/** How many minor units make a unit of the currency. */
function factor(code: string): string {
  const odd = [0, 3, 4].map((exponent) => {
    const codes = [...CURRENCY_EXPONENTS].filter(([, digits]) => digits === exponent).map(([name]) => name);
    return `WHEN ${isOneOf(code, codes)} THEN ${10 ** exponent}`;
  });
  return `CAST(CASE ${odd.join(" ")} WHEN ${code} IS NOT NULL THEN 100 END AS DECIMAL(5, 0))`;
}

/** Half a minor unit is rounded away from zero, as SQL does with decimals. */
function toMinor(amount: string, unit: string, condition = "TRUE"): string {
  const bounded = `TRY_CAST(CASE WHEN ${condition} AND abs(${amount}) < 10000000000000000 THEN ${amount} END AS DECIMAL(31, 15))`;
  return safe(`CAST(${bounded} * ${unit} AS HUGEINT)`);
}

function safe(minor: string): string {
  return `(CASE WHEN abs(${minor}) <= 9007199254740991 THEN CAST(${minor} AS BIGINT) END)`;
}
