// A batch as messages: every statement of it, then one Sync. A statement's first run asks for its description in the
// same breath, so it takes one trip as well. Nothing is sent if any part of it cannot be.
import type { DriverStatement, Scalar } from '../../../driver/driver.ts';
import { DatabaseError, UsageError } from '../../../errors/index.ts';
import { textProblem, type MessageWriter } from '../wire/message-writer.ts';
import type { Execution, SentBatch } from './operation.ts';
import { writeParameters } from '../wire/parameters.ts';
import { firstPlan, type Plan, PreparedStatement } from './prepared-statement.ts';
import { FRONTEND } from '../wire/protocol.ts';
import type { StatementCache } from './statement-cache.ts';

const EXECUTE = Buffer.from([FRONTEND.execute, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
const SYNC = Buffer.from([FRONTEND.sync, 0, 0, 0, 4]);
const STATEMENT = 0x53;

interface Target {
  readonly writer: MessageWriter;
  readonly cache: StatementCache;
}

interface Chosen {
  readonly statement: PreparedStatement;
  readonly parse: boolean;
}

function choose(cache: StatementCache, { text }: DriverStatement, created: PreparedStatement[]): Chosen {
  if (!text.prepare) return { statement: new PreparedStatement(text.sql, ''), parse: true };
  const found = cache.find(text.sql);
  if (found === undefined) {
    const statement = cache.add(text.sql);
    created.push(statement);
    return { statement, parse: true };
  }
  if (found.ready || created.includes(found)) return { statement: found, parse: false };
  // Another batch under way is the first to use it and may fail before it is parsed: do not depend on that.
  return { statement: new PreparedStatement(text.sql, ''), parse: true };
}

function writeParse(writer: MessageWriter, statement: PreparedStatement): void {
  const problem = textProblem(statement.sql);
  if (problem !== undefined) throw new UsageError(`the SQL text ${problem}`, { outcome: 'not-sent' });
  const parse = writer.begin(FRONTEND.parse);
  writer.cString(statement.name);
  writer.cString(statement.sql);
  writer.int16(0);
  writer.end(parse);
  const describe = writer.begin(FRONTEND.describe);
  writer.byte(STATEMENT);
  writer.cString(statement.name);
  writer.end(describe);
}

function writeRun(
  writer: MessageWriter,
  statement: PreparedStatement,
  { plan, values }: { readonly plan: Plan; readonly values: readonly Scalar[] },
): void {
  const bind = writer.begin(FRONTEND.bind);
  writer.raw(statement.head);
  writeParameters(writer, values, plan.slots);
  writer.raw(plan.formats);
  writer.end(bind);
  writer.raw(EXECUTE);
}

function writeStatement(
  { writer, cache }: Target,
  item: DriverStatement,
  created: PreparedStatement[],
): Execution | undefined {
  const sets = item.sets?.length ?? 1;
  if (sets === 0) return undefined;
  const { statement, parse } = choose(cache, item, created);
  const known = statement.ready;
  const plan = known ? statement.plan(item.text) : firstPlan(item.text);
  if (parse) writeParse(writer, statement);
  for (let i = 0; i < sets; i++) {
    const values = item.sets === undefined ? item.params : (item.sets[i] as readonly Scalar[]);
    if (known && values.length !== plan.slots.length) throw wrongCount(plan.slots.length, values.length);
    writeRun(writer, statement, { plan, values });
  }
  return { text: item.text, statement, parsed: parse, sets, decode: plan.decode };
}

function wrongCount(wanted: number, given: number): UsageError {
  return new UsageError(`the statement takes ${wanted} parameters and was given ${given}`, { outcome: 'not-sent' });
}

function indexed(error: unknown, statementIndex: number): unknown {
  if (error instanceof DatabaseError)
    Object.defineProperty(error, 'statementIndex', { value: statementIndex, configurable: true, writable: true });
  return error;
}

/** Writes a batch into the target's writer. Throws, with nothing written, if a part of it cannot be sent. */
export function sendBatch(target: Target, batch: readonly DriverStatement[]): SentBatch {
  const { writer, cache } = target;
  const start = writer.offset;
  const closing = cache.takeClosing();
  const created: PreparedStatement[] = [];
  const executions: Execution[] = [];
  let index = 0;
  try {
    for (const name of closing) writeClose(writer, name);
    for (; index < batch.length; index++) {
      const execution = writeStatement(target, batch[index] as DriverStatement, created);
      if (execution === undefined)
        throw new UsageError('a statement with an empty list of parameter sets', { outcome: 'not-sent' });
      executions.push(execution);
    }
    writer.raw(SYNC);
  } catch (error) {
    writer.offset = start;
    for (const statement of created) cache.remove(statement);
    cache.returnClosing(closing);
    throw indexed(error, index);
  }
  return { executions, created, closes: closing.length };
}

function writeClose(writer: MessageWriter, name: string): void {
  const at = writer.begin(FRONTEND.close);
  writer.byte(STATEMENT);
  writer.cString(name);
  writer.end(at);
}
