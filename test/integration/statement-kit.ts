// Runs compiled statements on a connection of each database, with nothing of the engine in between: what is tested is
// that the text is right where it counts.
import { postgresqlDialect } from '../../src/dialects/postgresql/dialect.ts';
import { sqliteDialect } from '../../src/dialects/sqlite/dialect.ts';
import { createSqliteDriver } from '../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../src/dialects/sqlite/url.ts';
import { CompileCache } from '../../src/dialect/compile-cache.ts';
import type { Dialect } from '../../src/dialect/dialect.ts';
import type { DriverConnection, DriverStatement, Scalar } from '../../src/driver/driver.ts';
import type { SchemaBind, SchemaChange } from '../../src/schema/metadata.ts';
import type { BulkNode } from '../../src/sql/bulk.ts';
import { statementNode } from '../../src/sql/raw.ts';
import { objectRows } from '../../src/sql/row-maker.ts';
import { chosenWay, reach } from '../ways.ts';

export interface Answer {
  readonly rows: readonly unknown[];
  readonly count: number | undefined;
}

/** One connection of one database. */
export class Bench implements SchemaBind {
  readonly dialect: Dialect;
  readonly cache: CompileCache;
  readonly #connection: DriverConnection;
  readonly #end: () => Promise<void>;

  constructor(dialect: Dialect, connection: DriverConnection, end: () => Promise<void>) {
    this.dialect = dialect;
    this.cache = new CompileCache(dialect.sql);
    this.#connection = connection;
    this.#end = end;
  }
  /** Runs a statement; its rows as objects. */
  async run(statement: unknown): Promise<Answer> {
    const node = statementNode(statement);
    const compiled = this.cache.get(node);
    const { rows, count } = await this.#submit(compiled.bind(node));
    return { rows: compiled.result === undefined ? rows : rows.map(objectRows(compiled.result)), count };
  }
  /** The names of a statement's columns as the database describes them. */
  async names(statement: unknown): Promise<readonly string[]> {
    const node = statementNode(statement);
    let names: readonly string[] = [];
    await this.#connection.submit([this.cache.get(node).bind(node)], {
      fields: (_, fields) => {
        names = fields.map((field) => field.name);
      },
      row: () => undefined,
    });
    return names;
  }
  /** Runs a bulk write; its rows as they come. */
  bulk(node: BulkNode, rows: readonly (readonly Scalar[])[]): Promise<{ rows: Scalar[][]; count: number | undefined }> {
    return this.#submit(this.cache.bulk(node).bind(rows));
  }
  async script(sql: string): Promise<readonly Scalar[][]> {
    return (await this.#submit({ text: { sql, params: [], results: undefined, prepare: false }, params: [] })).rows;
  }
  async applySchema(change: SchemaChange): Promise<void> {
    await this.script(this.dialect.transactions.begin({}));
    await this.dialect.lockSchema(this.#connection);
    for (const sql of this.dialect.ddl.compile(change)) await this.script(sql);
    await this.script(this.dialect.transactions.commit);
  }
  async close(): Promise<void> {
    await this.#connection.close();
    await this.#end();
  }
  async #submit(statement: DriverStatement): Promise<{ rows: Scalar[][]; count: number | undefined }> {
    const rows: Scalar[][] = [];
    let count: number | undefined;
    await this.#connection.submit([statement], {
      row: (_, row) => {
        rows.push(row);
      },
      done: (_, completion) => {
        count = completion.count;
      },
    });
    return { rows, count };
  }
}

/** How each database is opened. */
export const databases: Readonly<Record<'postgresql' | 'sqlite', () => Promise<Bench>>> = {
  async postgresql() {
    const reached = await reach(chosenWay);
    const driver = reached.driver();
    return new Bench(postgresqlDialect({ driver }), await driver.connect(), reached.stop);
  },
  async sqlite() {
    const driver = createSqliteDriver(parseSqliteUrl('sqlite::memory:'));
    return new Bench(sqliteDialect({ driver }), await driver.connect(), async () => undefined);
  },
};
