// How each dialect frames a transaction, and how it keeps others away while a schema is changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresqlDialect } from '../../../src/dialects/postgresql/dialect.ts';
import { sqliteDialect } from '../../../src/dialects/sqlite/dialect.ts';
import type { Driver, DriverConnection, DriverStatement } from '../../../src/driver/driver.ts';
import { CompileError, UsageError } from '../../../src/errors/index.ts';

const driver: Driver = { name: 'none', connect: () => Promise.reject(new UsageError('not used')) };
const pg = postgresqlDialect({ driver, serverAddress: 'localhost:5432' });
const lite = sqliteDialect({ driver });

test('BEGIN says what was asked for, and takes no words from outside', () => {
  const begin = (options: Parameters<typeof pg.transactions.begin>[0]): string => pg.transactions.begin(options);
  assert.equal(begin({}), 'BEGIN');
  assert.equal(
    begin({ isolation: 'serializable', readOnly: true, deferrable: true }),
    'BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE',
  );
  assert.equal(begin({ readOnly: false }), 'BEGIN READ WRITE');
  assert.throws(() => begin({ isolation: 'serializable; drop table users' as never }), UsageError);
  assert.equal(lite.transactions.begin({ isolation: 'serializable' }), 'BEGIN IMMEDIATE');
  assert.equal(lite.transactions.begin({ readOnly: true }), 'BEGIN');
});

test('savepoints are quoted like every name', () => {
  for (const { transactions } of [pg, lite]) {
    assert.equal(transactions.savepoint('athanor_1'), 'SAVEPOINT athanor_1');
    assert.equal(transactions.release('a"b'), 'RELEASE SAVEPOINT "a""b"');
    assert.equal(transactions.rollbackTo('End'), 'ROLLBACK TO SAVEPOINT "End"');
    assert.throws(() => transactions.savepoint(''), CompileError);
  }
});

test('a schema is changed under a lock that ends with the transaction', async () => {
  const sent: DriverStatement[] = [];
  const connection = { submit: async (batch: readonly DriverStatement[]) => void sent.push(...batch) };
  await pg.lockSchema(connection as unknown as DriverConnection);
  assert.deepEqual(
    sent.map((one) => one.text.sql.replace(/\d+/, 'n')),
    ['SELECT pg_advisory_xact_lock(n)'],
  );
  await lite.lockSchema(connection as unknown as DriverConnection);
  assert.equal(sent.length, 1);
});

test('facts are facts', () => {
  assert.equal(pg.serverAddress, 'localhost:5432');
  assert.equal(lite.serverAddress, undefined);
  assert.ok(pg.capabilities.unnest && !lite.capabilities.unnest);
  assert.ok(Object.isFrozen(pg.capabilities) && Object.isFrozen(lite));
});
