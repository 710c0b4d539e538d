// A batch as messages: every statement of it, then one Sync. A statement's first run asks for its description in the
// same breath, so it takes one trip as well. Nothing is sent if any part of it cannot be.
import type { DriverStatement, Scalar, StatementText } from '../../../driver/driver.ts';
import { DatabaseError, UsageError } from '../../../errors/index.ts';
import type { ExchangeTarget } from './exchange.ts';
import { firstPlan, PreparedStatement } from '../wire/prepared-statement.ts';
import type { RowDecoder } from '../wire/row-decoder.ts';
import type { StatementCache } from '../wire/statement-cache.ts';
import {
  checkCount,
  EXECUTE,
  SYNC,
  writeBind,
  writeCloseStatement,
  writeParseAndDescribe,
} from '../wire/statement-messages.ts';

/** One statement of a batch as it was sent. */
export interface Execution {
  readonly text: StatementText;
  readonly statement: PreparedStatement;
  /** Parse and Describe were sent with it. */
  readonly parsed: boolean;
  /** How many times it was bound and run. */
  readonly sets: number;
  /** Undefined until the columns are known, and for statements without rows. */
  decode: RowDecoder | undefined;
}

/** What a batch became as messages. */
export interface SentBatch {
  readonly executions: readonly Execution[];
  /** Named statements this batch has the server parse. */
  readonly created: readonly PreparedStatement[];
  /** How many Close messages went before it. */
  readonly closes: number;
}

export interface Chosen {
  readonly statement: PreparedStatement;
  readonly parse: boolean;
}

/** The prepared statement to run a text by. One that has to be made is added to `created` if it gets a name. */
export function choose(cache: StatementCache, { text }: DriverStatement, created: PreparedStatement[]): Chosen {
  if (!text.prepare || !cache.names) return { statement: new PreparedStatement(text.sql, ''), parse: true };
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

function writeStatement(
  { writer, cache }: ExchangeTarget,
  item: DriverStatement,
  created: PreparedStatement[],
): Execution | undefined {
  const sets = item.sets?.length ?? 1;
  if (sets === 0) return undefined;
  const { statement, parse } = choose(cache, item, created);
  const known = statement.ready;
  const plan = known ? statement.plan(item.text) : firstPlan(item.text);
  if (parse) writeParseAndDescribe(writer, statement);
  for (let i = 0; i < sets; i++) {
    const values = item.sets === undefined ? item.params : (item.sets[i] as readonly Scalar[]);
    if (known) checkCount(plan, values);
    writeBind(writer, statement, { plan, values });
    writer.raw(EXECUTE);
  }
  return { text: item.text, statement, parsed: parse, sets, decode: plan.decode };
}

/** Says which statement of its batch an error belongs to. */
export function indexed(error: unknown, statementIndex: number): unknown {
  if (error instanceof DatabaseError)
    Object.defineProperty(error, 'statementIndex', { value: statementIndex, configurable: true, writable: true });
  return error;
}

/** Writes a batch into the target's writer. Throws, with nothing written, if a part of it cannot be sent. */
export function sendBatch(target: ExchangeTarget, batch: readonly DriverStatement[]): SentBatch {
  const { writer, cache } = target;
  const start = writer.offset;
  const closing = cache.takeClosing();
  const created: PreparedStatement[] = [];
  const executions: Execution[] = [];
  let index = 0;
  try {
    for (const name of closing) writeCloseStatement(writer, name);
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
