// Sessions over each database, with a look at what they send.
import { postgresqlDialect } from '../../src/dialects/postgresql/dialect.ts';
import { sqliteDialect } from '../../src/dialects/sqlite/dialect.ts';
import { createSqliteDriver } from '../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../src/dialects/sqlite/url.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialect } from '../../src/dialect/dialect.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Executor } from '../../src/engine/executor.ts';
import type { SessionBind } from '../../src/orm/session/session-maker.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import type { SchemaBind, SchemaChange } from '../../src/schema/metadata.ts';
import { chosenWay, reach } from '../ways.ts';

/** An engine whose executors write down what they send: a text a statement, a list a write. */
export class Watched implements SessionBind, SchemaBind {
  readonly name: string;
  readonly engine: Engine;
  readonly #end: () => Promise<void>;
  #writes: string[][] = [];

  constructor(name: string, dialect: Dialect, end: () => Promise<void>) {
    this.name = name;
    this.engine = new Engine({ dialect, permits: new LocalPermits({ max: 8 }), url: name });
    this.#end = end;
  }
  executor(options: object = {}): Executor {
    const executor = this.engine.executor(options);
    const submit = executor.submit.bind(executor);
    executor.submit = (batch, sink, given) => {
      const texts = batch.map(({ text }) => text.sql);
      this.#writes.push(given?.commit === true ? [...texts, 'COMMIT'] : texts);
      return submit(batch, sink, given);
    };
    return executor;
  }
  applySchema(change: SchemaChange): Promise<void> {
    return this.engine.applySchema(change);
  }
  /** What was sent since the last call, a list for each write. */
  sent(): string[][] {
    const writes = this.#writes;
    this.#writes = [];
    return writes;
  }
  async stop(): Promise<void> {
    await this.engine.close();
    await this.#end();
  }
}

/** How each database is opened. */
export const databases: Readonly<Record<'postgresql' | 'sqlite', () => Promise<Watched>>> = {
  async postgresql() {
    const reached = await reach(chosenWay);
    return new Watched('postgresql', postgresqlDialect({ driver: reached.driver() }), reached.stop);
  },
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'athanor-orm-'));
    const driver = createSqliteDriver(parseSqliteUrl(`sqlite://${join(folder, 'orm.db')}`));
    return new Watched('sqlite', sqliteDialect({ driver }), async () =>
      rmSync(folder, { recursive: true, force: true }),
    );
  },
};
