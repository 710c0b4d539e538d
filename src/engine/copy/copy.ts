// COPY as a connection offers it: rows of a table with their types, or the bytes of a stream as they are.
import type { DriverConnection } from '../../driver/driver.ts';
import type { CopySource, CopyTarget } from '../../driver/copy.ts';
import type { SubmitOptions } from '../../driver/submit-options.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import { schemasBy } from '../../dialect/compile-cache.ts';
import { UnsupportedError, UsageError } from '../../errors/index.ts';
import type { AnyEntity, SpecOf } from '../../sql/entity.ts';
import type { FIELD, FLAGS, Flat } from '../../sql/phantom.ts';
import { tableOf } from '../../sql/statements/write.ts';
import type { TableElement } from '../../sql/from.ts';
import type { WaitOptions } from '../executor.ts';
import type { ExecutionOptions } from '../options/execution-options.ts';
import { pulled } from './copy-out.ts';
import { copyColumns, CopyEncoder, copyRowMaker, type CopyRows, copySql } from './copy-rows.ts';

export interface CopyOutOptions extends WaitOptions {
  /** The columns, by property names. Default: all of the table. */
  readonly columns?: readonly string[] | undefined;
}

export interface CopyInOptions extends WaitOptions {
  /** The columns, by property names. Default: those of the first row. */
  readonly columns?: readonly string[] | undefined;
}

/** A row as `copyTo()` gives it: the columns of a table or class, without relations. */
export type CopiedRow<E extends AnyEntity> = Flat<{
  // oxlint-disable-next-line typescript/no-explicit-any -- the compiler skips a side that is `any`
  -readonly [K in keyof SpecOf<E> as SpecOf<E>[K] extends { readonly [FLAGS]: any } ? K : never]: SpecOf<E>[K] extends {
    readonly [FIELD]: infer T;
  }
    ? T
    : never;
}>;

/** What COPY needs of the executor it runs on. */
export interface CopyHome {
  readonly dialect: Dialect;
  readonly settings: ExecutionOptions;
  use<T>(work: (connection: DriverConnection, options: SubmitOptions) => Promise<T>, options: WaitOptions): Promise<T>;
}

export interface CopyInto {
  /** SQL, or a table or class. */
  readonly target: unknown;
  readonly rows: CopyRows | CopySource;
}

export interface CopyBytes {
  readonly sql: unknown;
  readonly write: CopyTarget;
}

/** Gives the number of rows written. */
export async function copyIn(home: CopyHome, { target, rows }: CopyInto, options: CopyInOptions): Promise<number> {
  if (typeof target === 'string') return send(home, { sql: target, source: rows as CopySource }, options);
  const dialect = copySql(home.dialect);
  const encoder = new CopyEncoder(target, rows as CopyRows, options.columns);
  const columns = await encoder.columns();
  if (columns.length === 0) return 0;
  const source = encoder.pieces(dialect.encoder(columns));
  return send(home, { sql: dialect.from(placed(home, target), columns), source }, options);
}

/** The rows of a table, made as the reader takes them. */
export async function* copyOut(
  home: CopyHome,
  source: unknown,
  options: CopyOutOptions,
): AsyncGenerator<object, void, undefined> {
  const dialect = copySql(home.dialect);
  const columns = copyColumns(source, options.columns);
  const decode = dialect.decoder(columns);
  const make = copyRowMaker(columns);
  const sql = dialect.to(placed(home, source), columns);
  const lists = pulled<object>((push) =>
    receive(home, { sql, write: (chunk) => pushed(push, decode(chunk).map(make)) }, options),
  );
  for await (const rows of lists) yield* rows;
}

/** Gives the number of rows read. Rejects with `ATH_USAGE` for anything but SQL. */
export async function copyOutBytes(home: CopyHome, copy: CopyBytes, options: WaitOptions): Promise<number> {
  if (typeof copy.sql !== 'string') throw new UsageError('copyTo() with a function takes the SQL of a COPY.');
  return receive(home, { sql: copy.sql, write: copy.write }, options);
}

interface Sending {
  readonly sql: string;
  readonly source: CopySource;
}

async function send(home: CopyHome, { sql, source }: Sending, options: WaitOptions): Promise<number> {
  const { stream, failure } = watched(source);
  try {
    const { count = 0 } = await home.use((connection, wait) => {
      if (connection.copyFrom === undefined) throw noCopy();
      return connection.copyFrom(sql, stream, wait);
    }, options);
    return count;
  } catch (error) {
    // The caller's own failure comes back as it was thrown.
    const own = failure();
    throw own === undefined ? error : own.error;
  }
}

async function receive(
  home: CopyHome,
  { sql, write }: { readonly sql: string; readonly write: CopyTarget },
  options: WaitOptions,
): Promise<number> {
  let failure: { readonly error: unknown } | undefined;
  try {
    const { count = 0 } = await home.use((connection, wait) => {
      if (connection.copyTo === undefined) throw noCopy();
      return connection.copyTo(
        sql,
        async (chunk) => {
          try {
            await write(chunk);
          } catch (error) {
            failure = { error };
            throw error;
          }
        },
        wait,
      );
    }, options);
    return count;
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  }
}

interface Watched {
  readonly stream: AsyncIterable<Uint8Array>;
  /** What the source threw. */
  failure(): { readonly error: unknown } | undefined;
}

/** Passes a source on and keeps what it throws. */
function watched(source: CopySource): Watched {
  let failure: { readonly error: unknown } | undefined;
  async function* pass(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* source;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  return { stream: pass(), failure: () => failure };
}

function pushed(push: (rows: readonly object[]) => Promise<void>, rows: readonly object[]): void | Promise<void> {
  return rows.length === 0 ? undefined : push(rows);
}

function placed({ settings }: CopyHome, target: unknown): Pick<TableElement, 'name' | 'schema'> {
  const { name, schema } = tableOf(target);
  const { schemaTranslateMap } = settings;
  return { name, schema: schemaTranslateMap === undefined ? schema : schemasBy(schemaTranslateMap)(schema) };
}

function noCopy(): UnsupportedError {
  return new UnsupportedError('This driver has no COPY.');
}
