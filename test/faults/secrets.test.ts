// Values a program gives its database come back in the server's own words. They are not printed again by anything.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { DatabaseError } from '../../src/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory();

/** Statements that make the server quote a value in its error. */
const QUOTING: readonly (readonly [string, string, (lab: Lab) => readonly unknown[]])[] = [
  ['22P02', 'select $1::text::int', (lab) => [lab.secret]],
  ['22007', 'select $1::text::timestamptz', (lab) => [lab.secret]],
  ['22P02', 'select $1::text::uuid', (lab) => [lab.secret]],
  ['22P02', 'select $1::text::jsonb', (lab) => [`{${lab.secret}}`]],
  ['23505', 'insert into ledger values ($1, 0, $1), ($1, 0, $1)', (lab) => [lab.secret]],
  ['23502', 'insert into ledger values ($1, 0, null)', (lab) => [lab.secret]],
  ['2201', 'select regexp_match($1, $2)', (lab) => ['a', `(${lab.secret}`]],
];

fault('[B19] parameters that the server quotes in its errors are shown by nothing', async (lab) => {
  const engine = lab.engine({ max: 2 });
  for (const [sqlState, sql, params] of QUOTING) {
    const error = await lab.fails(engine.begin((connection) => connection.raw(sql, params(lab)).all()));
    assert.ok(error instanceof DatabaseError, String(error));
    assert.ok(error.sqlState?.startsWith(sqlState), `${sql}: ${error.sqlState}: ${error.message}`);
    // What the server said in detail is there for whoever asks, and is printed by nothing that prints an error.
    assert.ok(!Object.keys(error).includes('serverDetail') && !Object.keys(error).includes('sql'));
    assert.ok(!inspect(error, { depth: 9 }).includes(lab.secret));
  }
  const unique = await lab.fails(
    engine.begin((connection) => connection.raw(QUOTING[4]?.[1] as string, [lab.secret]).all()),
  );
  assert.ok((unique as DatabaseError).serverDetail?.includes(lab.secret));
});
