import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSqlite, type SqliteModule } from '../../../../../src/dialects/sqlite/driver/load-sqlite.ts';
import { UnsupportedError } from '../../../../../src/errors/index.ts';

test('a Node without node:sqlite is refused by name', async () => {
  const missing = (): Promise<SqliteModule> => Promise.reject(new TypeError('No such built-in module: node:sqlite'));
  await assert.rejects(loadSqlite(missing), (error) => {
    assert.ok(error instanceof UnsupportedError);
    assert.match(error.message, /needs Node 22\.16/);
    assert.ok(error.cause instanceof TypeError);
    return true;
  });
});

test('a Node whose node:sqlite returns rows as objects only is refused by name', async () => {
  const young = { StatementSync: class {} } as unknown as SqliteModule;
  await assert.rejects(
    loadSqlite(() => Promise.resolve(young)),
    UnsupportedError,
  );
});
