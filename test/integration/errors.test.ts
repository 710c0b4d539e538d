// What a database answers, as athanor's own errors: the class to react by, the facts that help, and nothing that leaks.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as athanor from '../../src/index.ts';
import { AthanorError, DatabaseError } from '../../src/index.ts';
import type { Connection } from '../../src/engine/connection.ts';
import { type Place, places } from './engine-kit.ts';

type ErrorClass = new (message: string) => AthanorError;
type Work = (connection: Connection) => Promise<unknown>;

async function errorOf(work: Promise<unknown>): Promise<DatabaseError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DatabaseError, String(error));
  return error;
}

const TABLES = `
  create table parent (id int primary key);
  create table child (
    id int primary key, parent int references parent on delete restrict, name text not null unique,
    n int check (n > 0), span int4range, exclude using gist (span with &&)
  );
  insert into parent values (1);
  insert into child values (1, 1, 'canary', 1, '[1,2)');
`;

/** What is done, the class it fails with, and its SQLSTATE. All values are canaries. */
const FAILURES: readonly (readonly [sql: string, params: readonly unknown[], kind: ErrorClass, state: string])[] = [
  ['insert into child values ($1, 1, $2)', [2, 'canary'], athanor.UniqueViolationError, '23505'],
  ['insert into child values ($1, 9, $2)', [2, 'canary2'], athanor.ForeignKeyViolationError, '23503'],
  ['insert into child values ($1, 1, null)', [2], athanor.NotNullViolationError, '23502'],
  ['insert into child values ($1, 1, $2, -5)', [2, 'canary2'], athanor.CheckViolationError, '23514'],
  ["insert into child values ($1, 1, $2, 1, '[1,2)')", [2, 'canary2'], athanor.IntegrityError, '23P01'],
  ['delete from parent where id = $1', [1], athanor.ForeignKeyViolationError, '23001'],
  ['select $1::int', ['canary'], athanor.DataError, '22P02'],
  ['select $1::text::date', ['2024-13-77'], athanor.DataError, '22008'],
  ['select 1 / $1::int', [0], athanor.DataError, '22012'],
  ['select $1::varchar(2)::int', ['canary'], athanor.DataError, '22P02'],
  ['selekt $1', ['canary'], athanor.ProgrammingError, '42601'],
  ['select nothing from parent where id = $1', [1], athanor.ProgrammingError, '42703'],
  ['select * from no_such_table where id = $1', [1], athanor.ProgrammingError, '42P01'],
];

describe('errors of a server', () => {
  let place: Place;
  let engine: athanor.Engine;
  before(async () => {
    place = await places.postgresql();
    engine = await place.engine();
    const work: Work = async (connection) => {
      for (const sql of TABLES.split(';\n').filter((one) => one.trim() !== '')) await connection.raw(sql);
    };
    await engine.begin(work);
  });
  after(() => place.stop());

  it('[F017] each is of the class to react by, with its SQL, values, codes and page', async () => {
    for (const [sql, params, kind, state] of FAILURES) {
      const error = await errorOf(engine.begin((connection) => connection.raw(sql, params).all()));
      assert.equal(error.sqlState, state, sql);
      assert.equal(error.constructor, kind, sql);
      assert.equal(error.sql, sql);
      assert.equal(error.params?.length, params.length);
      assert.equal(error.outcome, 'failed');
      assert.equal(error.connectionInvalidated, false);
      assert.ok(error.connectionId !== undefined);
      assert.match(error.stack ?? '', /errors\.test\.ts:\d+/, 'the caller is in the stack');
      const page = readFileSync(new URL(`../../${error.docs}`, import.meta.url), 'utf8');
      assert.ok(page.startsWith(`# ${error.code}\n`));
      const said = `${inspect(error)}${JSON.stringify(error)}${error.message}${JSON.stringify(athanor.serializeError(error))}`;
      assert.ok(!/canary|2024-13-77/.test(said), said);
    }
    const lost = await errorOf(
      engine.begin((connection) => connection.raw('select pg_terminate_backend(pg_backend_pid())').all()),
    );
    assert.ok(lost instanceof athanor.ConnectionLostError);
    assert.equal(lost.connectionInvalidated, true);
    assert.equal(lost.toJSON()['connectionInvalidated'], true);
  });

  it('names what was violated, and keeps the words of the server that quote a row where no log looks', async () => {
    const [sql, params] = FAILURES[0] as (typeof FAILURES)[number];
    const error = await errorOf(engine.begin((connection) => connection.raw(sql, params).all()));
    assert.deepEqual([error.schema, error.table, error.constraint], ['public', 'child', 'child_name_key']);
    assert.match(error.serverDetail ?? '', /canary/);
    assert.equal(Object.keys(error).includes('serverDetail'), false);
    assert.equal(Object.keys(error).includes('params'), false);
    assert.equal(Object.keys(error).includes('sql'), false);
  });

  it('in a batch it says which statement and which values it was', async () => {
    const error = await errorOf(
      engine.begin((connection) => connection.rawMany('insert into parent values ($1)', [[2], [3], [1]]).all()),
    );
    assert.ok(error instanceof athanor.UniqueViolationError);
    assert.equal(error.statementIndex, 0);
    assert.equal(error.params?.length, 3);
  });
});

it('every class has its page where it says', () => {
  for (const value of Object.values(athanor)) {
    if (typeof value !== 'function' || !(value.prototype instanceof AthanorError)) continue;
    const error = new (value as unknown as ErrorClass)('x');
    assert.ok(existsSync(new URL(`../../${error.docs}`, import.meta.url)), error.code);
  }
});
