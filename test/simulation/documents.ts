import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";

import type { Network } from "./network.ts";

type Item = Record<string, unknown>;

const failure = (kind: string) => new Error(`the lease table: ${kind}`);

/** DynamoDB in memory, as far as leases go: items read together, and conditional updates that set attributes. */
export function createModelDocuments(network: Network) {
  const items = new Map<string, Item>();

  function batchGet({ RequestItems = {} }: BatchGetCommand["input"]) {
    const found = Object.entries(RequestItems).map(([table, { Keys = [] }]): [string, Item[]] => [
      table,
      Keys.flatMap((key) => items.get(nameOf(table, key)) ?? []).map((item) => ({ ...(item as object) })) as Item[],
    ]);
    return { Responses: Object.fromEntries(found) };
  }

  function update(input: UpdateCommand["input"]) {
    const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input;
    const name = nameOf(input.TableName ?? "", input.Key ?? {});
    const before = items.get(name);
    if (!holds(input.ConditionExpression ?? "", before, names, values)) {
      throw new ConditionalCheckFailedException({ message: "The conditional request failed", $metadata: {} });
    }
    const assignments = (input.UpdateExpression ?? "").replace(/^SET /, "").split(", ");
    const changes = assignments.map((assignment): [string, unknown] => {
      const [attribute = "", value = ""] = assignment.split(" = ");
      return [names[attribute] ?? attribute, values[value]];
    });
    const after = { ...input.Key, ...before, ...Object.fromEntries(changes) };
    items.set(name, after);
    return { Attributes: { ...after } };
  }

  const send = (command: unknown): Promise<unknown> => {
    if (command instanceof BatchGetCommand) return network.ask(null, () => batchGet(command.input), failure);
    if (command instanceof UpdateCommand) return network.ask("lease:write", () => update(command.input), failure);
    return Promise.reject(new Error("not modelled"));
  };
  return {
    send: send as DynamoDBDocumentClient["send"],
    /** How far each consumer is. */
    positions: () =>
      [...items].map(([name, item]) => {
        const [stream = "", consumer = ""] = (JSON.parse(name.slice(name.indexOf(" ") + 1)) as { PK: string }).PK.split(
          "#",
        );
        return { stream, consumer, shard: String(item["shard"]), checkpoint: item["checkpoint"] ?? null };
      }),
  };
}

/** `attribute_not_exists(a)`, or `a = :b`, joined by AND. */
function holds(condition: string, item: Item | undefined, names: Item, values: Item): boolean {
  return condition.split(" AND ").every((term) => {
    if (term === "") return true;
    const absent = /^attribute_not_exists\((\S+)\)$/.exec(term);
    if (absent) return item?.[absent[1] as string] === undefined;
    const [attribute = "", value = ""] = term.split(" = ");
    if (!value.startsWith(":")) throw new Error(`a condition that is not modelled: ${term}`);
    return item !== undefined && item[(names[attribute] as string | undefined) ?? attribute] === values[value];
  });
}

function nameOf(table: string, key: Item): string {
  return `${table} ${JSON.stringify(key)}`;
}
