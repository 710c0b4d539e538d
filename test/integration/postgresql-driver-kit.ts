// What the driver's tests against a real server share: a connection from a test server's URL, and a statement run.
import type { DriverConnection, Field, Scalar, WireKind } from '../../src/driver/driver.ts';
import type {
  PostgresConnectOptions,
  PostgresDriver,
  PostgresOptions,
} from '../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { chosenWay, makeDriver } from '../ways.ts';

/** The driver of the chosen way. */
export const createDriver: (options: PostgresOptions) => PostgresDriver = makeDriver(chosenWay);

/** A connection by it. */
export function open(
  url: string,
  extra: Partial<PostgresOptions> = {},
  connect: PostgresConnectOptions = {},
): Promise<DriverConnection> {
  return createDriver({ ...parsePostgresUrl(url, {}), ...extra }).connect(connect);
}

export interface RunOptions {
  readonly kinds?: readonly (WireKind | undefined)[];
  readonly results?: readonly (WireKind | undefined)[];
  readonly prepare?: boolean;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly rows: Scalar[][];
  readonly fields: readonly Field[] | undefined;
  readonly command: string | undefined;
  readonly count: number | undefined;
}

/** Runs one statement and collects what comes back. */
export async function run(
  connection: DriverConnection,
  sql: string,
  params: readonly Scalar[] = [],
  options: RunOptions = {},
): Promise<Answer> {
  const text = {
    sql,
    params: options.kinds ?? params.map(() => undefined),
    results: options.results,
    prepare: options.prepare ?? true,
  };
  const rows: Scalar[][] = [];
  let fields: readonly Field[] | undefined;
  let done: { command: string; count: number | undefined } | undefined;
  await connection.submit(
    [{ text, params }],
    {
      fields: (_statement, described) => {
        fields = described;
      },
      row: (_statement, row) => {
        rows.push(row);
      },
      done: (_statement, completion) => {
        done = completion;
      },
    },
    { signal: options.signal },
  );
  return { rows, fields, command: done?.command, count: done?.count };
}

/** The first column of the only row. */
export async function one(
  connection: DriverConnection,
  sql: string,
  params: readonly Scalar[] = [],
  options: RunOptions = {},
): Promise<Scalar> {
  const { rows } = await run(connection, sql, params, options);
  return rows[0]?.[0] as Scalar;
}

/** A statement for a batch. */
export function statement(sql: string, params: readonly Scalar[] = [], prepare = true) {
  return { text: { sql, params: params.map(() => undefined), results: undefined, prepare }, params };
}
