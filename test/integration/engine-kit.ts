// Engines over each database, with a table to write to.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialect } from '../../src/dialect/dialect.ts';
import { postgresqlDialect } from '../../src/dialects/postgresql/dialect.ts';
import { sqliteDialect } from '../../src/dialects/sqlite/dialect.ts';
import { createSqliteDriver } from '../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../src/dialects/sqlite/url.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import { integer, MetaData, table, text } from '../../src/index.ts';
import type { TestServer } from '../servers.ts';
import { chosenWay, reach } from '../ways.ts';

export const metadata: MetaData = new MetaData();
export const Item = table('item', metadata, { id: integer().primaryKey(), name: text() });

export interface Place {
  readonly name: string;
  /** Only where there is a server. */
  readonly server: TestServer | undefined;
  /** An engine of at most `max` connections, on an empty table. */
  engine(options?: Partial<EngineOptions> & { readonly max?: number }): Promise<Engine>;
  stop(): Promise<void>;
}

function place(name: string, dialect: () => Dialect, server: TestServer | undefined, end: () => Promise<void>): Place {
  const engines: Engine[] = [];
  return {
    name,
    server,
    async engine({ max = 4, ...options } = {}) {
      const engine = new Engine({ dialect: dialect(), permits: new LocalPermits({ max }), url: name, ...options });
      engines.push(engine);
      await metadata.createAll(engine);
      await engine.begin((connection) => connection.raw('delete from item').all());
      return engine;
    },
    async stop() {
      for (const engine of engines) await engine.close({ timeout: 0 });
      await end();
    },
  };
}

/** How each database is opened. */
export const places: Readonly<Record<'postgresql' | 'sqlite', () => Promise<Place>>> = {
  async postgresql() {
    const reached = await reach(chosenWay, { maxConnections: 20 });
    return place('postgresql', () => postgresqlDialect({ driver: reached.driver() }), reached.server, reached.stop);
  },
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'athanor-engine-'));
    const location = parseSqliteUrl(`sqlite://${join(folder, 'engine.db')}`);
    const make = (): Dialect => sqliteDialect({ driver: createSqliteDriver(location) });
    return place('sqlite', make, undefined, async () => rmSync(folder, { recursive: true, force: true }));
  },
};
