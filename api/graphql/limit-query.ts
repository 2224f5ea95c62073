import { type ASTVisitor, GraphQLError, Kind, type SelectionSetNode, type ValidationContext } from "graphql";

/** Reports asked for in one request, by whatever names. */
export const MOST_REPORTS = 10;
/** Everything that is picked, fragments written out. */
export const MOST_FIELDS = 1_000;
export const MOST_DEEP = 10;
/** Of the text itself, before anything is made of it. */
export const MOST_TOKENS = 3_000;

interface Weight {
  reports: number;
  fields: number;
  depth: number;
}

/** What a query would cost, judged before it runs. How deep one may look into the schema itself is limited by GraphQL's own rule. */
export function limitQuery(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      const weight: Weight = { reports: 0, fields: 0, depth: 0 };
      weigh(context, node.selectionSet, 1, weight, new Set());
      const fault =
        weight.reports > MOST_REPORTS
          ? `asks for more than ${MOST_REPORTS} reports`
          : weight.fields > MOST_FIELDS
            ? `picks more than ${MOST_FIELDS} fields`
            : weight.depth > MOST_DEEP
              ? `goes deeper than ${MOST_DEEP} fields`
              : undefined;
      if (fault) context.reportError(new GraphQLError(`The query ${fault}.`, { nodes: node }));
    },
  };
}

/** Stops as soon as it is too much, so that fragments in fragments cost no time either. */
function weigh(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  depth: number,
  weight: Weight,
  within: ReadonlySet<string>,
): void {
  for (const selection of selections) {
    if (weight.fields > MOST_FIELDS || weight.reports > MOST_REPORTS) return;
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value.startsWith("__")) continue;
      weight.fields++;
      if (depth === 1) weight.reports++;
      weight.depth = Math.max(weight.depth, depth);
      if (selection.selectionSet && depth <= MOST_DEEP)
        weigh(context, selection.selectionSet, depth + 1, weight, within);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      weigh(context, selection.selectionSet, depth, weight, within);
    } else {
      weight.fields++;
      const name = selection.name.value;
      const fragment = context.getFragment(name);
      // A fragment within itself is refused by another rule.
      if (fragment && !within.has(name)) {
        weigh(context, fragment.selectionSet, depth, weight, new Set([...within, name]));
      }
    }
  }
}
