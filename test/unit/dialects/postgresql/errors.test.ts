// SQLSTATE to class: one row for each reaction, and messages that carry no value.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as errors from '../../../../src/errors/index.ts';
import { safeMessage, serverError, translatePostgresError } from '../../../../src/dialects/postgresql/errors.ts';

const CLASSES: readonly (readonly [state: string, kind: new (message: string) => Error])[] = [
  ['23505', errors.UniqueViolationError],
  ['23503', errors.ForeignKeyViolationError],
  ['23502', errors.NotNullViolationError],
  ['23514', errors.CheckViolationError],
  ['23P01', errors.IntegrityError],
  ['22P02', errors.DataError],
  ['42P01', errors.ProgrammingError],
  ['42501', errors.ProgrammingError],
  ['0A000', errors.ProgrammingError],
  ['08P01', errors.ProgrammingError],
  ['40001', errors.SerializationFailureError],
  ['40P01', errors.DeadlockError],
  ['55P03', errors.LockTimeoutError],
  ['57014', errors.StatementTimeoutError],
  ['25P03', errors.TransactionExpiredError],
  ['25P04', errors.TransactionExpiredError],
  ['25P02', errors.OperationalError],
  ['53300', errors.ServerFullError],
  ['53100', errors.OperationalError],
  ['28P01', errors.AuthenticationError],
  ['57P01', errors.ConnectionLostError],
  ['57P02', errors.ConnectionLostError],
  ['XX000', errors.OperationalError],
  ['P0001', errors.DatabaseError],
  ['', errors.DatabaseError],
];

test('each SQLSTATE has its class', () => {
  for (const [state, kind] of CLASSES) assert.equal(serverError({ C: state, M: 'x' }).constructor, kind, state);
});

test('names of what was violated are there, rows and statements are not printed', () => {
  const error = serverError(
    {
      C: '23505',
      M: 'duplicate key',
      D: 'Key (email)=(canary@x) already exists.',
      H: 'canary',
      s: 'public',
      t: 'users',
      c: 'email',
      n: 'users_email',
    },
    { sql: `select 'canary'`, statementIndex: 3, connectionId: '7' },
  );
  assert.deepEqual(
    [error.schema, error.table, error.column, error.constraint, error.statementIndex, error.connectionId],
    ['public', 'users', 'email', 'users_email', 3, '7'],
  );
  assert.ok(!`${inspect(error)}${JSON.stringify(error)}${error.message}`.includes('canary'));
  assert.match(error.serverDetail ?? '', /canary@x/);
});

test('messages of data exceptions lose their values in every language', () => {
  const of = (text: string): string => safeMessage({ C: '22P02', M: text });
  assert.equal(of('invalid input syntax for type integer: "a "b" c"'), 'invalid input syntax for type integer: …');
  assert.equal(of('ungültige Eingabesyntax für Typ integer: »x«'), 'ungültige Eingabesyntax für Typ integer: …');
  assert.equal(of('value "99" is out of range for type integer'), 'value "…" is out of range for type integer');
  assert.equal(of('date field value out of range: 2024-13-77'), 'date field value out of range: …');
  assert.equal(of('division by zero'), 'division by zero');
  assert.equal(safeMessage({ C: '42P01', M: 'relation "x" does not exist' }), 'relation "x" does not exist');
  assert.ok(safeMessage({ C: '42601', M: 'x'.repeat(9999) }).length < 600);
});

test('what is already an error of the tree comes back as it is, anything else is wrapped', () => {
  const own = new errors.StaleDataError('x');
  assert.equal(translatePostgresError(own), own);
  const wrapped = translatePostgresError('text');
  assert.ok(wrapped instanceof errors.OperationalError && wrapped.cause === 'text');
});
