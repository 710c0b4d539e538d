// Carries out a plan: each batch of steps that need no key of each other goes out in one write. What comes back is
// gathered; nothing in memory is called clean here.
import { AthanorError, DatabaseError, FlushError, StaleDataError } from '../../errors/index.ts';
import type { Completion, DriverStatement, Sink } from '../../driver/driver.ts';
import type { CompileCache } from '../../dialect/compile-cache.ts';
import type { ExecuteOptions, Executor } from '../../engine/executor.ts';
import { committedAnyway } from '../../engine/transaction-error.ts';
import type { Scalar } from '../../types/wire.ts';
import { expressionStatement } from './expression-statement.ts';
import type { FlushPlan } from './flush-plan.ts';
import type { FlushStep } from './flush-step.ts';
import { Returned } from './returned.ts';
import { type Cell, KeyRef, type RowChange } from './row-change.ts';

export interface RunOptions extends ExecuteOptions {
  readonly compiled: CompileCache;
}

/** Throws `ATH_STALE_DATA` where an update or delete did not find its rows as they were read. */
export async function runPlan(plan: FlushPlan, executor: Executor, options: RunOptions): Promise<Returned> {
  const returned = new Returned();
  const { timeout } = options;
  const until = timeout === undefined ? undefined : performance.now() + timeout;
  for (let start = 0; start < plan.steps.length; ) {
    const end = batchEnd(plan.steps, start);
    const last = end === plan.steps.length;
    const steps = plan.steps.slice(start, end);
    const left = until === undefined || start === 0 ? timeout : until - performance.now();
    await runBatch(steps, { ...options, executor, returned, timeout: left, commit: last && options.commit === true });
    start = end;
  }
  return returned;
}

/** Whether COMMIT may ride with the last batch: none of its steps could find too few rows without the server noticing. */
export function endsUncounted({ steps }: FlushPlan): boolean {
  let start = 0;
  for (let end = batchEnd(steps, 0); end < steps.length; end = batchEnd(steps, end)) start = end;
  return steps.length > 0 && steps.slice(start).every((step) => !step.counted);
}

function batchEnd(steps: readonly FlushStep[], start: number): number {
  let end = start;
  while (end < steps.length && (steps[end] as FlushStep).needs.every((needed) => needed < start)) end++;
  return end;
}

interface BatchOptions extends RunOptions {
  readonly executor: Executor;
  readonly returned: Returned;
}

async function runBatch(steps: readonly FlushStep[], { executor, returned, ...options }: BatchOptions): Promise<void> {
  const statements = steps.map((step) => bind(step, options.compiled, returned));
  const rows: Scalar[][][] = steps.map(() => []);
  const completions: Completion[] = [];
  const sink: Sink = {
    row: (statement, row) => rows[statement]?.push(row),
    done: (statement, completion) => {
      completions[statement] = completion;
    },
  };
  try {
    await executor.submit(statements, sink, options);
  } catch (error) {
    throw namedAfterStep(error, steps);
  }
  try {
    steps.forEach((step, index) => {
      if (step.counted) checkCount(step, completions[index]?.count);
      keep(step, rows[index] as Scalar[][], returned);
    });
  } catch (error) {
    throw options.commit === true ? committedAnyway(error) : error;
  }
}

function bind(step: FlushStep, compiled: CompileCache, returned: Returned): DriverStatement {
  const rows = step.values.some(hasReference)
    ? step.values.map((cells) => resolve(cells, returned))
    : (step.values as readonly (readonly Scalar[])[]);
  const [only] = step.rows;
  if (only?.expressions !== undefined) {
    const node = expressionStatement(only, rows[0] as readonly Scalar[]);
    return compiled.get(node).bind(node);
  }
  return compiled.bulk(step.node).bind(rows);
}

function hasReference(cells: readonly Cell[]): boolean {
  for (const cell of cells) if (cell instanceof KeyRef) return true;
  return false;
}

function resolve(cells: readonly Cell[], returned: Returned): readonly Scalar[] {
  return cells.map((cell) => {
    if (!(cell instanceof KeyRef)) return cell;
    const { row, column } = cell;
    const value = referred(cell, returned);
    if (value !== undefined && value !== null) return value;
    throw new FlushError(
      `The new row of ${row.mapper.table.name} has no value for ${column.name}, which another row refers to.`,
    );
  });
}

/** What a reference stands for: what came back for the other row, or what was sent for it. */
export function referred({ row, column }: KeyRef, returned: Returned): Scalar | undefined {
  const at = row.shape.set.indexOf(column);
  const sent = at === -1 ? undefined : row.values[at];
  if (sent === undefined) return returned.get(row)?.[row.shape.returning.indexOf(column)];
  return sent instanceof KeyRef ? referred(sent, returned) : sent;
}

function keep(step: FlushStep, rows: readonly Scalar[][], returned: Returned): void {
  if (step.node.kind === 'bulkDelete' || step.node.returning.length === 0) return;
  if (rows.length !== step.rows.length) {
    throw new FlushError(
      `${step.action.toUpperCase()} on ${step.table.name} returned ${rows.length} rows for ${step.rows.length} written.`,
      { hint: 'A trigger or rule on the table may swallow rows; a session cannot work with that.' },
    );
  }
  returned.set(step, rows);
}

function checkCount(step: FlushStep, matched: number | undefined): void {
  if (matched === undefined || matched === step.rows.length) return;
  const { action, table, rows, node } = step;
  const guards = node.kind === 'bulkInsert' ? [] : node.guard.map((column) => column.name);
  const which = rows.length === 1 ? ` The row is the one with ${keyText(step)}.` : '';
  throw new StaleDataError(
    `${action.toUpperCase()} on ${table.name} was to match ${rows.length} row${rows.length === 1 ? '' : 's'} and matched ${matched}.${which}`,
    {
      hint:
        guards.length === 0
          ? 'The rows were deleted, or their keys changed, by someone else. Reload and do the work again.'
          : `Someone else changed ${guards.join(', ')}, or deleted the row, since it was read. Reload (session.refresh) and do the work again, compute on the server (assign with an expression), lock when reading (forUpdate), or commit({ overwrite: true }).`,
    },
  );
}

function keyText({ rows, values }: FlushStep): string {
  const { shape } = rows[0] as RowChange;
  const cells = values[0]?.slice(shape.set.length, shape.set.length + shape.match.length) ?? [];
  return shape.match.map((column, index) => `${column.name} ${cellText(cells[index])}`).join(', ');
}

function cellText(cell: Cell | undefined): string {
  if (cell instanceof KeyRef || cell === undefined) return 'still to be made';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** Says which step of the flush the database refused. The error keeps its class. */
function namedAfterStep(error: unknown, steps: readonly FlushStep[]): unknown {
  if (!(error instanceof AthanorError) || !(error instanceof DatabaseError)) return error;
  const step = error.statementIndex === undefined ? undefined : steps[error.statementIndex];
  if (step === undefined) return error;
  const place = `in the flush, at ${step.action.toUpperCase()} ${step.table.name} (${step.rows.length} row${step.rows.length === 1 ? '' : 's'})`;
  Object.defineProperty(error, 'message', {
    value: `${error.message}\n  ${place}`,
    configurable: true,
    writable: true,
    enumerable: false,
  });
  return error;
}
