// The messages that have the server parse, bind, run and forget a statement, as the batches, cursors and COPY share them.
import type { Scalar } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import { type MessageWriter, textProblem } from './message-writer.ts';
import { writeParameters } from './parameters.ts';
import { FRONTEND } from './protocol.ts';
import type { Plan, PreparedStatement } from './prepared-statement.ts';

/** Runs the unnamed portal to its end. */
export const EXECUTE: Buffer = Buffer.from([FRONTEND.execute, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
export const SYNC: Buffer = Buffer.from([FRONTEND.sync, 0, 0, 0, 4]);
export const FLUSH: Buffer = Buffer.from([FRONTEND.flush, 0, 0, 0, 4]);
const STATEMENT = 0x53;
const PORTAL = 0x50;

/** Parse alone. */
export function writeParse(writer: MessageWriter, name: string, sql: string): void {
  const problem = textProblem(sql);
  if (problem !== undefined) throw new UsageError(`the SQL text ${problem}`, { outcome: 'not-sent' });
  const parse = writer.begin(FRONTEND.parse);
  writer.cString(name);
  writer.cString(sql);
  writer.int16(0);
  writer.end(parse);
}

/** Parse, and the question what the statement takes and gives. */
export function writeParseAndDescribe(writer: MessageWriter, { name, sql }: PreparedStatement): void {
  writeParse(writer, name, sql);
  const describe = writer.begin(FRONTEND.describe);
  writer.byte(STATEMENT);
  writer.cString(name);
  writer.end(describe);
}

/** A statement with the values of one run. */
export interface BoundValues {
  readonly plan: Plan;
  readonly values: readonly Scalar[];
}

/** Bind to the unnamed portal, or to one of this name. */
export function writeBind(
  writer: MessageWriter,
  statement: PreparedStatement,
  { plan, values, portal }: BoundValues & { readonly portal?: string },
): void {
  const bind = writer.begin(FRONTEND.bind);
  if (portal === undefined) writer.raw(statement.head);
  else {
    writer.cString(portal);
    writer.cString(statement.name);
  }
  writeParameters(writer, values, plan.slots);
  writer.raw(plan.formats);
  writer.end(bind);
}

/** Runs a portal for at most `count` rows. */
export function writeFetch(writer: MessageWriter, portal: string, count: number): void {
  const at = writer.begin(FRONTEND.execute);
  writer.cString(portal);
  writer.int32(count);
  writer.end(at);
}

function writeClose(writer: MessageWriter, kind: number, name: string): void {
  const at = writer.begin(FRONTEND.close);
  writer.byte(kind);
  writer.cString(name);
  writer.end(at);
}

export function writeCloseStatement(writer: MessageWriter, name: string): void {
  writeClose(writer, STATEMENT, name);
}

export function writeClosePortal(writer: MessageWriter, name: string): void {
  writeClose(writer, PORTAL, name);
}

/** A run with another number of values than the statement has parameters. */
export function checkCount({ slots }: { readonly slots: readonly unknown[] }, values: readonly Scalar[]): void {
  const { length } = slots;
  if (values.length === length) return;
  throw new UsageError(`the statement takes ${length} parameters and was given ${values.length}`, {
    outcome: 'not-sent',
  });
}
