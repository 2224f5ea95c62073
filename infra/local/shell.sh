# What the runbooks' commands need, for bash and zsh: `. infra/local/shell.sh` in the clone.
#   $API $KEY $CLIENT $OUTBOX      of the stack that `npm start` has brought up here
#   endpoint NAME                  anything else in endpoints.json
#   ask METHOD PATH [curl's …]     the API, below /api/v1/
#   metrics PART                   of ingest, api, analytics or workers
#   sql ['select …']               PostgreSQL, as owner; without an argument what is pasted, until Ctrl-D. A line of JSON a row
#   duck ['FROM …']                the same with DuckDB, which reads the lake
#   temporal …                     the Temporal CLI that the stack runs
# Where there is no such stack, API, KEY, CLIENT, LIVORA_POSTGRES_URL and TEMPORAL_ADDRESS are taken from the environment.

[ -n "${ZSH_VERSION:-}" ] && setopt interactive_comments
DATA=${LIVORA_DATA_DIR:-.livora}

endpoint() {
  node -p "JSON.parse(require('fs').readFileSync('$DATA/endpoints.json')).$1"
}

if [ -e "$DATA/endpoints.json" ]; then
  API=$(endpoint api) KEY=$(endpoint api_key) CLIENT=$(endpoint client_id) OUTBOX=$(endpoint outbox)
  export TEMPORAL_ADDRESS=$(endpoint temporal_address)
else
  echo "There is no $DATA/endpoints.json: API, KEY and the rest are the environment's." >&2
fi

ask() {
  local method=$1 resource=$2
  shift 2
  case " $* " in *" -d "*) set -- -H 'Content-Type: application/json' "$@" ;; esac
  curl -sS -w '\n' -X "$method" "$API/api/v1/$resource" -H "Authorization: Bearer $KEY" "$@"
}

metrics() {
  curl -sS "$(endpoint "$1")/metrics"
}

sql() {
  STORE=$([ -e "$DATA/endpoints.json" ] && endpoint environment.LIVORA_POSTGRES_URL || echo "$LIVORA_POSTGRES_URL") \
    QUERY=${1-$(cat)} node --input-type=module -e '
      import postgres from "postgres";
      const sql = postgres(process.env.STORE, { max: 1 });
      const readable = function (key, value) { return Buffer.isBuffer(this[key]) ? this[key].toString() : value; };
      try {
        for (const row of [...(await sql.unsafe(process.env.QUERY))].flat()) console.log(JSON.stringify(row, readable));
      } catch (error) { console.error(error.message); process.exitCode = 1; }
      await sql.end();'
}

duck() {
  QUERY=${1-$(cat)} node --input-type=module -e '
    import { DuckDBInstance } from "@duckdb/node-api";
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    try {
      const reader = await connection.runAndReadAll(process.env.QUERY);
      for (const row of reader.getRowObjectsJson()) console.log(JSON.stringify(row));
    } catch (error) { console.error(error.message); process.exitCode = 1; }'
}

temporal() {
  local cache=${LIVORA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/livora}
  local cli=${TEMPORAL_CLI_PATH:-$(ls -t "$cache"/temporal-cli-*/temporal 2>/dev/null | head -1)}
  if [ -n "$cli" ]; then "$cli" "$@"; else command temporal "$@"; fi
}
