// Makes a failing conversation smaller for as long as it still fails: fewer mutations, fewer exchanges, batches and
// statements, fewer rows, whole pieces.
import type { Batch, Conversation, Exchange, Run } from './conversation.ts';

/** Milliseconds it may take. */
const LIMIT = 20_000;

/** Whether a smaller conversation still fails. */
export type Fails = (plan: Conversation) => Promise<boolean>;

function without<T>(list: readonly T[], index: number): T[] {
  return list.filter((_, i) => i !== index);
}

function replaced<T>(list: readonly T[], index: number, by: T): T[] {
  return list.map((one, i) => (i === index ? by : one));
}

function* smallerRuns(run: Run): Generator<Run> {
  if (run.rows > 0) yield { ...run, rows: run.rows >> 1 };
  if (run.sets > 1) yield { ...run, sets: 1 };
  if (run.answer !== 'rows') yield { ...run, answer: 'rows' };
}

function* smallerBatches(batch: Batch): Generator<Batch> {
  if (batch.signal !== 'none') yield { ...batch, signal: 'none' };
  if (batch.runs.length > 1) for (const i of batch.runs.keys()) yield { ...batch, runs: without(batch.runs, i) };
  for (const [i, run] of batch.runs.entries()) {
    for (const less of smallerRuns(run)) yield { ...batch, runs: replaced(batch.runs, i, less) };
  }
}

function* smallerExchanges(exchange: Exchange): Generator<Exchange> {
  if (exchange.beside !== 'none') yield { ...exchange, beside: 'none' };
  if (exchange.stream !== undefined) yield { ...exchange, stream: undefined };
  const { batches } = exchange;
  if (batches.length > 1) for (const i of batches.keys()) yield { ...exchange, batches: without(batches, i) };
  for (const [i, batch] of batches.entries()) {
    for (const less of smallerBatches(batch)) yield { ...exchange, batches: replaced(batches, i, less) };
  }
}

/** Every conversation that is one step smaller. Messages keep their numbers only as far as nothing before them went. */
function* smaller(plan: Conversation): Generator<Conversation> {
  const { exchanges, mutations, queries } = plan;
  for (const i of mutations.keys()) yield { ...plan, mutations: without(mutations, i) };
  for (const i of exchanges.keys()) yield { ...plan, exchanges: without(exchanges, i) };
  for (const [i, exchange] of exchanges.entries()) {
    for (const less of smallerExchanges(exchange)) yield { ...plan, exchanges: replaced(exchanges, i, less) };
  }
  for (const [i, query] of queries.entries()) {
    for (const c of query.columns.keys())
      yield { ...plan, queries: replaced(queries, i, { ...query, columns: without(query.columns, c) }) };
    for (const p of query.params.keys())
      yield { ...plan, queries: replaced(queries, i, { ...query, params: without(query.params, p) }) };
  }
  for (const [i, mutation] of mutations.entries()) {
    for (const at of [mutation.at >> 1, mutation.at - 1])
      if (at >= 0 && at < mutation.at) yield { ...plan, mutations: replaced(mutations, i, { ...mutation, at }) };
  }
  if (plan.noise > 0) yield { ...plan, noise: 0 };
  if (plan.noticeThrows) yield { ...plan, noticeThrows: false };
  if (plan.pieces.size !== 'whole') yield { ...plan, pieces: { ...plan.pieces, size: 'whole' } };
  if (plan.pieces.breathe) yield { ...plan, pieces: { ...plan.pieces, breathe: false } };
}

/** The smallest failing conversation found in at most `tries` plays. */
export async function shrink(plan: Conversation, fails: Fails, tries = 3_000): Promise<Conversation> {
  let smallest = plan;
  let left = tries;
  const until = performance.now() + LIMIT;
  for (let found = true; found && left > 0; ) {
    found = false;
    for (const candidate of smaller(smallest)) {
      left -= 1;
      if (left <= 0 || performance.now() > until) return smallest;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}
