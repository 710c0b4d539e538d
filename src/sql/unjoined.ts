// A table in FROM that nothing joins to the others multiplies the rows by its own: nearly always a forgotten condition.
// What is joined by name (`join`, `outerJoin`) was meant; only what came into FROM by being mentioned is judged here.
import type { AnyStatementNode, ExpressionNode, QueryElement, SelectItem, SelectNode } from './expression-node.ts';
import type { FromElement, Node } from './from.ts';
import { includesElement, sameElement } from './statements/select-factory.ts';

/** Parts of one FROM that nothing joins to each other: at least two, each with the names in it. */
export type UnjoinedParts = readonly (readonly string[])[];

/** Every FROM of the statement that falls apart, those of nested queries too. Pure. */
export function unjoined(statement: AnyStatementNode): readonly UnjoinedParts[] {
  const search = new Search();
  switch (statement.kind) {
    case 'select':
      search.select(statement, []);
      break;
    case 'insert':
      if (statement.source.kind === 'query') search.select(statement.source.query, []);
      break;
    case 'update':
      search.written(statement.table, statement.implicit, [
        statement.where,
        ...statement.set.map(({ value }) => value),
      ]);
      break;
    case 'delete':
      search.written(statement.table, statement.implicit, [statement.where]);
      break;
    case 'text':
      break;
  }
  return search.found;
}

class Search {
  readonly found: UnjoinedParts[] = [];
  readonly #seen = new Set<Node>();

  select(select: SelectNode, around: readonly FromElement[]): void {
    if (this.#seen.has(select)) return;
    this.#seen.add(select);
    if (select.compound !== undefined) {
      this.select(select.compound.first, around);
      for (const { query } of select.compound.rest) this.select(query, around);
      return;
    }
    const implicit = select.implicit.filter((element) => !includesElement(around, element));
    const parts = new Parts([...select.from, ...implicit]);
    const inside = [...around, ...parts.elements, ...select.joins.map(({ from }) => from)];
    for (const join of select.joins) parts.join(join.from, this.#mentioned(join.on, inside));
    for (const condition of conjuncts(select.where)) parts.link(this.#mentioned(condition, inside));
    for (const condition of conjuncts(select.having)) parts.link(this.#mentioned(condition, inside));
    for (const node of [...values(select.items), ...select.orderBy, ...select.groupBy]) this.#mentioned(node, inside);
    for (const element of [...parts.elements, ...select.with]) this.#element(element);
    this.#judge(parts);
  }

  written(table: FromElement, implicit: readonly FromElement[], nodes: readonly (ExpressionNode | undefined)[]): void {
    const parts = new Parts([table, ...implicit.filter((element) => !sameElement(element, table))]);
    const [where, ...others] = nodes;
    for (const condition of conjuncts(where)) parts.link(this.#mentioned(condition, parts.elements));
    for (const node of others) if (node !== undefined) this.#mentioned(node, parts.elements);
    for (const element of parts.elements) this.#element(element);
    this.#judge(parts);
  }

  #judge(parts: Parts): void {
    const names = parts.names();
    if (names.length > 1) this.found.push(names);
  }

  /** A query in FROM sees nothing of what is around it. */
  #element(element: FromElement): void {
    if (element.kind !== 'subquery' && element.kind !== 'cte') return;
    const { query, step } = element as QueryElement;
    if (query !== undefined) this.select(query, []);
    if (step !== undefined) this.select(step, []);
  }

  /** What an expression speaks of, its nested queries included; those are judged on the way. */
  #mentioned(root: ExpressionNode, inside: readonly FromElement[]): readonly FromElement[] {
    const mentioned: FromElement[] = [...root.froms];
    for (const query of nestedQueries(root)) {
      this.select(query, inside);
      mentioned.push(...reached(query));
    }
    return mentioned;
  }
}

/** The elements of one FROM, in the parts that are joined so far. */
class Parts {
  readonly elements: FromElement[];
  #parts: FromElement[][];

  constructor(elements: readonly FromElement[]) {
    this.elements = [...elements];
    this.#parts = elements.map((element) => [element]);
  }

  /** JOIN was asked for: where its condition speaks of nothing else, it is meant to be so. */
  join(element: FromElement, mentioned: readonly FromElement[]): void {
    this.elements.push(element);
    const [first = [], ...rest] = this.#parts;
    const others = mentioned.filter((one) => !sameElement(one, element));
    if (this.#parts.some((part) => part.some((one) => includesElement(others, one)))) {
      this.#parts.push([element]);
      this.link(mentioned);
    } else this.#parts = [[...first, element], ...rest];
  }

  link(mentioned: readonly FromElement[]): void {
    const joined = this.#parts.filter((part) => part.some((element) => includesElement(mentioned, element)));
    if (joined.length < 2) return;
    this.#parts = [...this.#parts.filter((part) => !joined.includes(part)), joined.flat()];
  }

  names(): UnjoinedParts {
    return this.#parts.map((part) => part.map(({ name }) => name));
  }
}

/** Conditions that must all hold. */
function conjuncts(node: ExpressionNode | undefined): readonly ExpressionNode[] {
  if (node === undefined) return [];
  return node.kind === 'logical' && node.operator === 'and' ? node.items.flatMap(conjuncts) : [node];
}

function values(items: readonly SelectItem[]): readonly ExpressionNode[] {
  return items.flatMap((item) => (item.kind === 'value' ? [item.node] : []));
}

/** What the conditions of a nested query mention, as deep as it goes. */
function reached(query: SelectNode): readonly FromElement[] {
  const nodes = [...values(query.items), query.where, query.having, ...query.joins.map(({ on }) => on)];
  return [
    ...query.implicit,
    ...nodes.flatMap((node) => (node === undefined ? [] : nestedQueries(node).flatMap(reached))),
  ];
}

/** The queries right inside an expression. Nodes are plain data: whatever kinds there are, they are found. */
function nestedQueries(node: ExpressionNode): readonly SelectNode[] {
  const found: SelectNode[] = [];
  collect(node, found);
  return found;
}

function collect(value: unknown, found: SelectNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { kind } = value as { readonly kind?: unknown };
  if (kind === 'select') found.push(value as SelectNode);
  // Tables are not expressions, and know of everything.
  else if (kind !== 'bind' && kind !== 'column' && kind !== 'tableName') {
    for (const [name, part] of Object.entries(value)) if (!APART.has(name)) collect(part, found);
  }
}

/** Parts of a node that hold no expression. */
const APART: ReadonlySet<string> = new Set(['type', 'froms', 'reach', 'from', 'key', 'kind']);
