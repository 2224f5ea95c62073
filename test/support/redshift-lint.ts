/**
 * What PostgreSQL or DuckDB understands and Redshift does not, or not surely: from "Amazon Redshift and PostgreSQL", "Unsupported PostgreSQL
 * features, data types and functions" and "Window function syntax summary" of the Amazon Redshift Database Developer Guide
 * (docs.aws.amazon.com/redshift/latest/dg: c_redshift-and-postgres-sql, c_unsupported-postgresql-features,
 * c_unsupported-postgresql-datatypes, c_unsupported-postgresql-functions, c_Window_functions).
 */
const REFUSED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\bFILTER\s*\(/i, "aggregates have no FILTER: SUM(CASE …)"],
  [/\bDISTINCT\s+ON\b/i, "no DISTINCT ON"],
  [/\bLATERAL\b/i, "no LATERAL"],
  [/\bWINDOW\s+\w+\s+AS\b/i, "no named windows"],
  [/\bRANGE\s+BETWEEN\b|\bGROUPS\s+BETWEEN\b|\bEXCLUDE\b/i, "window frames are of ROWS"],
  [/\bIGNORE\s+NULLS\b/i, "PostgreSQL has none, so it would not be tried"],
  [/\bQUALIFY\b|\bGROUP\s+BY\s+ALL\b/i, "PostgreSQL has none, so it would not be tried"],
  [/\b(?:SEMI|ANTI|ASOF|POSITIONAL)\s+JOIN\b/i, "DuckDB's joins"],
  [/\bTABLESAMPLE\b|\bUSING\s+SAMPLE\b/i, "no samples"],
  [/\bARRAY\s*\[|\[\s*\d*\s*\]|\bunnest\s*\(/i, "no arrays of PostgreSQL's kind"],
  [/\bgenerate_series\s*\(|\brange\s*\(/i, "runs on the leader node alone"],
  [
    /\b(?:string_agg|array_agg|json_agg|jsonb_\w+|json_object_agg|list|arg_max|arg_min)\s*\(/i,
    "no such aggregate: LISTAGG",
  ],
  [/->>?|@>|\bJSONB?\b/i, "no type JSON: SUPER, or text"],
  [/\b(?:TRY_CAST|epoch_ms|strftime|make_timestamp|to_timestamp|md5_number_\w+|struct_pack)\s*\(/i, "not in both"],
  [/\bEXTRACT\s*\(\s*EPOCH\b/i, "whole seconds in Redshift, fractions in PostgreSQL"],
  [/::/, "collides with named parameters: CAST(… AS …)"],
  [/\b(?:UUID|BYTEA|MONEY|HSTORE|INET|CIDR|UBIGINT|HUGEINT|STRUCT|MAP)\b/i, "no such type"],
  [/\bON\s+CONFLICT\b|\bRETURNING\b|\bGENERATED\b/i, "no such clause"],
  [/\blambda\b|\{/i, "DuckDB's functions and structs"],
  [/(?<!["\w])timestamp(?!["\w)])(?!\s*')/i, 'a keyword of Redshift: "timestamp"'],
];

/** What is wrong with a statement that ought to run in Redshift, too. */
export function lintForRedshift(sql: string): string[] {
  const code = sql.replaceAll(/'(?:[^']|'')*'/g, "''").replaceAll(/CAST\((.*?) AS TIMESTAMP\)/g, "$1");
  return REFUSED.flatMap(([pattern, why]) => (pattern.test(code) ? [`${pattern.exec(code)![0]}: ${why}`] : []));
}
