// Makes select nodes: finds the FROM from the columns used, and writes the key.
import { CompileError, UsageError } from '../../errors/index.ts';
import { columnNode, only, joinFroms, joinReach, keyed, keyedList, logicalNode } from '../expression-factory.ts';
import type {
  ExpressionNode,
  JoinNode,
  LockNode,
  QueryElement,
  Reach,
  SelectItem,
  SelectNode,
} from '../expression-node.ts';
import type { FromElement } from '../from.ts';
import { resolveJoin } from './join-condition.ts';
import { fromOrNothing, selectNode } from '../operand.ts';
import { RELATION } from '../phantom.ts';
import { isRelation } from '../relation.ts';
import { type SelectDraft, selectDraft } from './select-draft.ts';

/** The select a draft describes. Throws `ATH_COMPILE` where its parts do not fit. */
export function makeSelect(draft: SelectDraft): SelectNode {
  const used = usedByDraft(draft);
  const { implicit, joins } = resolveFrom(draft, used.froms);
  const node: Parts = {
    items: draft.items,
    distinct: draft.distinct,
    from: draft.from,
    implicit,
    joins,
    where: draft.where.length === 0 ? undefined : logicalNode('and', draft.where),
    groupBy: draft.groupBy,
    having: draft.having.length === 0 ? undefined : logicalNode('and', draft.having),
    compound: draft.compound,
    orderBy: draft.orderBy,
    limit: draft.limit,
    offset: draft.offset,
    lock: draft.lock,
    with: draft.with,
    options: draft.options,
  };
  const reach = reachOf(node, used.reach);
  return new MadeSelect(node, reach);
}

/** Made once for each execution: a class keeps that cheap. */
class MadeSelect implements SelectNode {
  readonly kind = 'select';
  readonly key: string;
  readonly items: SelectNode['items'];
  readonly distinct: SelectNode['distinct'];
  readonly from: SelectNode['from'];
  readonly implicit: SelectNode['implicit'];
  readonly joins: SelectNode['joins'];
  readonly where: SelectNode['where'];
  readonly groupBy: SelectNode['groupBy'];
  readonly having: SelectNode['having'];
  readonly compound: SelectNode['compound'];
  readonly orderBy: SelectNode['orderBy'];
  readonly limit: SelectNode['limit'];
  readonly offset: SelectNode['offset'];
  readonly lock: SelectNode['lock'];
  readonly with: SelectNode['with'];
  readonly options: SelectNode['options'];
  readonly reach: Reach;

  constructor(parts: Parts, reach: Reach) {
    this.key = `${keyOf(parts)}${identityPattern(reach.elements)};`;
    this.items = parts.items;
    this.distinct = parts.distinct;
    this.from = parts.from;
    this.implicit = parts.implicit;
    this.joins = parts.joins;
    this.where = parts.where;
    this.groupBy = parts.groupBy;
    this.having = parts.having;
    this.compound = parts.compound;
    this.orderBy = parts.orderBy;
    this.limit = parts.limit;
    this.offset = parts.offset;
    this.lock = parts.lock;
    this.with = parts.with;
    this.options = parts.options;
    this.reach = reach;
    Object.freeze(this);
  }
  get tables(): readonly FromElement[] | undefined {
    return tablesOf(this.reach);
  }
}

/** A select for `IN (...)`: a select as it is, or all columns of a subquery or common table expression. */
export function queryOf(value: unknown): SelectNode {
  const element = fromOrNothing(value);
  if (element === undefined) return selectNode(value);
  if (element.kind !== 'subquery' && element.kind !== 'cte') {
    throw new UsageError('Expected a list, a select or a subquery.');
  }
  const items = element.columns.map(
    (column): SelectItem => ({ kind: 'value', key: column.key, named: false, node: columnNode(element, column) }),
  );
  return makeSelect({ ...selectDraft(items), from: [element] });
}

/** Whether two elements are one and the same: an alias is told by its table and name, everything else by identity. */
export function sameElement(a: FromElement, b: FromElement): boolean {
  return a === b || (a.kind === 'alias' && b.kind === 'alias' && a.key === b.key);
}

export function includesElement(elements: readonly FromElement[], element: FromElement): boolean {
  return elements.some((one) => sameElement(one, element));
}

/** What entities in a list of items stand in FROM for. */
export function itemFroms(items: readonly SelectItem[]): readonly FromElement[] {
  let froms: readonly FromElement[] = [];
  for (const item of items) froms = joinFroms(froms, item.kind === 'entity' ? only(item.from) : item.node.froms);
  return froms;
}

/** The key of a list of items: what is selected, and under which names. */
export function itemsKey(items: readonly SelectItem[]): string {
  let key = `${items.length}[`;
  for (const item of items) {
    if (item.kind === 'value') key += `${item.named ? keyed(item.key) : '-'}${item.node.key}`;
    else key += `E${keyed(item.key)}${item.from.key}${columnsKey(item)}`;
  }
  return key;
}

function columnsKey(item: Extract<SelectItem, { kind: 'entity' }>): string {
  if (item.columns === item.from.columns) return '*';
  return `${item.columns.length}[${item.columns.map(({ name }) => keyed(name)).join('')}`;
}

interface Gathered {
  froms: readonly FromElement[];
  reach: Reach | undefined;
}

function usedByDraft(draft: SelectDraft): Gathered {
  const used: Gathered = { froms: [], reach: undefined };
  for (const item of draft.items) if (item.kind === 'value') gather(used, item.node);
  if (typeof draft.distinct !== 'boolean') gatherAll(used, draft.distinct);
  gatherAll(used, draft.where);
  gatherAll(used, draft.groupBy);
  gatherAll(used, draft.having);
  // The order of a UNION names its columns, it takes none from a table.
  if (draft.compound === undefined) gatherAll(used, draft.orderBy);
  return used;
}

function gather(used: Gathered, node: ExpressionNode): void {
  used.froms = joinFroms(used.froms, node.froms);
  if (node.reach !== undefined) used.reach = joinReach(used.reach, node.reach);
}

function gatherAll(used: Gathered, nodes: readonly ExpressionNode[]): void {
  for (const node of nodes) gather(used, node);
}

const NO_JOINS: readonly JoinNode[] = Object.freeze([]);
const NO_ELEMENTS: readonly FromElement[] = Object.freeze([]);

function resolveFrom(
  draft: SelectDraft,
  used: readonly FromElement[],
): { readonly implicit: readonly FromElement[]; readonly joins: readonly JoinNode[] } {
  if (draft.compound !== undefined) return { implicit: NO_ELEMENTS, joins: NO_JOINS };
  const wanted = joinFroms(itemFroms(draft.items), used);
  if (draft.joins.length === 0) return { implicit: without(wanted, draft.from), joins: NO_JOINS };
  const joins: JoinNode[] = [];
  // What is in FROM before each join, and what has been joined.
  const taken = draft.from.slice();
  let needed = wanted;
  let targets: readonly FromElement[] | undefined;
  for (const join of draft.joins) {
    const present = (): readonly FromElement[] => {
      targets ??= [...draft.from, ...joinTargets(draft)];
      return [...draft.from, ...without(needed, targets), ...joins.map(({ from }) => from)];
    };
    const resolved = resolveJoin(join, present);
    if (resolved.source !== undefined && !needed.includes(resolved.source)) needed = [...needed, resolved.source];
    for (const one of resolved.joins) {
      if (includesElement(taken, one.from)) {
        throw new CompileError(`${one.from.name} is joined twice.`, { hint: 'Join an alias() of it the second time.' });
      }
      joins.push(one);
      taken.push(one.from);
      needed = joinFroms(needed, one.on.froms);
    }
  }
  return { implicit: without(needed, taken), joins };
}

/** The targets of joins are known before their conditions are. */
function joinTargets(draft: SelectDraft): readonly FromElement[] {
  return draft.joins.map(({ target }) => (isRelation(target) ? target[RELATION]().target : target));
}

function without(elements: readonly FromElement[], taken: readonly FromElement[]): readonly FromElement[] {
  const left: FromElement[] = [];
  for (const element of elements) {
    if (!includesElement(taken, element) && !includesElement(left, element)) left.push(element);
  }
  return left;
}

type Parts = Omit<SelectNode, 'kind' | 'key' | 'tables' | 'reach'>;

function reachOf(node: Parts, nested: Reach | undefined): Reach {
  const elements: FromElement[] = [...node.from, ...node.implicit];
  for (const { from } of node.joins) elements.push(from);
  elements.push(...node.with);
  let reach: Reach = { elements, raw: false };
  for (const element of elements) {
    if (element.table === undefined) reach = joinReach(reach, elementReach(element)) ?? reach;
  }
  for (const { on } of node.joins) if (on.reach !== undefined) reach = joinReach(reach, on.reach) ?? reach;
  if (node.compound !== undefined) {
    reach = joinReach(reach, node.compound.first.reach) ?? reach;
    for (const { query } of node.compound.rest) reach = joinReach(reach, query.reach) ?? reach;
  }
  return joinReach(reach, nested) ?? reach;
}

/** What the query behind a subquery reaches. */
export function elementReach(element: FromElement): Reach | undefined {
  if (element.kind !== 'subquery' && element.kind !== 'cte') return undefined;
  const { query, step } = element as QueryElement;
  return joinReach(query?.reach, step?.reach);
}

/** The tables behind all that is reached, each once. */
export function tablesOf(reach: Reach): readonly FromElement[] | undefined {
  if (reach.raw) return undefined;
  const tables = new Set<FromElement>();
  for (const { table } of reach.elements) if (table !== undefined) tables.add(table);
  return [...tables];
}

function keyOf(node: Parts): string {
  let key = `S${itemsKey(node.items)}${distinctKey(node.distinct)}`;
  key += `${keyedList(node.from)}${keyedList(node.implicit)}${node.joins.length}[`;
  for (const join of node.joins) key += `${join.kind[0]}${join.from.key}${join.on.key}`;
  key += `${optional(node.where)}${keyedList(node.groupBy)}${optional(node.having)}`;
  if (node.compound === undefined) key += '-';
  else {
    key += `U${node.compound.rest.length}[${node.compound.first.key}`;
    for (const { operator, query } of node.compound.rest) key += `${operator === 'union' ? 'u' : 'a'}${query.key}`;
  }
  key += `${keyedList(node.orderBy)}${optional(node.limit)}${optional(node.offset)}`;
  return `${key}${lockKey(node.lock)}${keyedList(node.with)}`;
}

function distinctKey(distinct: SelectNode['distinct']): string {
  return typeof distinct === 'boolean' ? (distinct ? 'D' : '-') : keyedList(distinct);
}

function optional(node: ExpressionNode | undefined): string {
  return node === undefined ? '-' : node.key;
}

function lockKey(lock: LockNode | undefined): string {
  return lock === undefined ? '-' : `${keyed(lock.mode)}${lock.wait[0]}${lock.of === undefined ? '-' : lock.of.key}`;
}

/**
 * Which of the subqueries are the same object. Two with equal keys may bind different values: then it is part of the
 * shape which one stands where. Empty in the usual case that none or all are the same.
 */
export function identityPattern(elements: readonly FromElement[]): string {
  if (elements.every(({ table }) => table !== undefined)) return '';
  const queries = elements.filter(({ kind }) => kind === 'subquery' || kind === 'cte');
  const distinct = [...new Set(queries)];
  if (new Set(distinct.map(({ key }) => key)).size === distinct.length) return '';
  return `=${queries.map((element) => distinct.indexOf(element)).join()}`;
}
