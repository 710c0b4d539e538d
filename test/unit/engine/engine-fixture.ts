// An engine on a driver without a server, speaking the PostgreSQL dialect.
import { postgresqlDialect } from '../../../src/dialects/postgresql/dialect.ts';
import { Engine, type EngineOptions } from '../../../src/engine/engine.ts';
import { LocalPermits } from '../../../src/pool/local-permits.ts';
import { FakeDriver } from '../../../src/testing/fake-driver.ts';

export interface EngineFixture {
  readonly engine: Engine;
  readonly driver: FakeDriver;
  readonly permits: LocalPermits;
  /** What the n-th connection ran. */
  ran(connection?: number): string[];
}

export function engineFixture(options: Partial<EngineOptions> & { readonly max?: number } = {}): EngineFixture {
  const { max = 2, ...rest } = options;
  const driver = new FakeDriver();
  const permits = new LocalPermits({ max });
  const engine = new Engine({
    dialect: postgresqlDialect({ driver }),
    permits,
    url: 'postgresql://user:***@host/db',
    ...rest,
  });
  return { engine, driver, permits, ran: (connection = 0) => driver.connections[connection]?.ran ?? [] };
}
