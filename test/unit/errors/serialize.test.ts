import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import * as tree from '../../../src/errors/index.ts';
import { deserializeError, type SerializedError, serializeError } from '../../../src/errors/serialize.ts';

type AnyErrorClass = new (message: string, options?: Record<string, unknown>) => tree.AthanorError;

/** One filled instance of every class of the tree; AthanorError itself is abstract. */
function oneOfEach(): tree.AthanorError[] {
  const classes = Object.values(tree).filter(
    (entry): entry is typeof entry & AnyErrorClass =>
      typeof entry === 'function' && entry.prototype instanceof tree.AthanorError,
  ) as unknown as AnyErrorClass[];
  return classes.map(
    (ErrorType, index) =>
      new ErrorType(`message ${index}`, {
        hint: 'do it another way',
        outcome: 'unknown',
        connectionId: 'c7',
        sqlState: '40001',
        table: 'dummy',
        constraint: 'dummy_pkey',
        sql: 'select $1',
        serverDetail: 'Key (secret)=(canary)',
        statementIndex: 3,
        timeout: 250,
        holders: [{ connectionId: 'c1', since: 12, inTransaction: true }],
        cause: new TypeError('the first reason', { cause: new tree.UsageError('the reason of that') }),
      }),
  );
}

function assertSame(received: unknown, sent: tree.AthanorError): void {
  assert.ok(received instanceof tree.AthanorError, String(received));
  assert.equal(received.constructor, sent.constructor);
  assert.equal(Object.getPrototypeOf(received), Object.getPrototypeOf(sent));
  assert.equal(received.stack, sent.stack);
  assert.deepEqual(received.toJSON(), sent.toJSON());
  assert.equal(Object.keys(received).includes('statementIndex'), false);
  if (sent instanceof tree.DatabaseError) {
    assert.equal((received as tree.DatabaseError).statementIndex, 3);
    assert.equal((received as tree.DatabaseError).serverDetail, undefined);
  }
  const { cause } = received;
  assert.ok(cause instanceof TypeError);
  assert.equal(cause.message, 'the first reason');
  assert.ok(cause.cause instanceof tree.UsageError);
  assert.equal(cause.cause.code, 'ATH_USAGE');
}

const echo = new URL('./fixtures/echo.ts', import.meta.url);

for (const serialization of ['json', 'advanced'] as const) {
  test(`every class of the tree comes through ${serialization} process messages as it was`, async () => {
    const child = fork(echo, { serialization, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    try {
      for (const error of oneOfEach()) {
        child.send(serializeError(error));
        const [record] = (await once(child, 'message')) as [SerializedError];
        assert.equal(JSON.stringify(record).includes('canary'), false);
        assertSame(deserializeError(record), error);
      }
    } finally {
      child.disconnect();
      await once(child, 'exit');
    }
  });
}

test('every class of the tree comes through a worker port as it was', async () => {
  const worker = new Worker(echo);
  try {
    const errors = oneOfEach();
    assert.ok(errors.length > 40, `only ${errors.length} classes found`);
    for (const error of errors) {
      worker.postMessage(serializeError(error));
      const [record] = (await once(worker, 'message')) as [SerializedError];
      assertSame(deserializeError(record), error);
    }
  } finally {
    await worker.terminate();
  }
});

test('every class has a code of its own', () => {
  const codes = oneOfEach().map((error) => error.code);
  assert.equal(new Set(codes).size, codes.length);
});

test('standard errors keep their class and their plain properties', () => {
  for (const ErrorType of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    const sent = Object.assign(new ErrorType('oh'), {
      code: 'EX',
      at: { line: 3, names: ['a'] },
      when: new Date(),
      run: () => 1,
      big: 10n,
      nan: Number.NaN,
    });
    const received = deserializeError(JSON.parse(JSON.stringify(serializeError(sent))));
    assert.ok(received instanceof ErrorType);
    assert.equal(Object.getPrototypeOf(received), ErrorType.prototype);
    assert.equal(received.message, 'oh');
    assert.equal(received.stack, sent.stack);
    assert.deepEqual(Object.fromEntries(Object.entries(received)), { code: 'EX', at: { line: 3, names: ['a'] } });
  }
});

test('a class of the caller comes as the nearest known one and keeps its name', () => {
  class PaymentError extends RangeError {
    override name = 'PaymentError';
    amount = 5;
  }
  const received = deserializeError(serializeError(new PaymentError('too much'))) as PaymentError;
  assert.ok(received instanceof RangeError);
  assert.equal(received.name, 'PaymentError');
  assert.equal(received.amount, 5);
  class OwnStale extends tree.StaleDataError {}
  const stale = deserializeError(serializeError(new OwnStale('gone'))) as tree.StaleDataError;
  assert.equal(Object.getPrototypeOf(stale), tree.StaleDataError.prototype);
  assert.equal(stale.name, 'OwnStale');
});

test('aggregate, abort and thrown values', () => {
  const received = deserializeError(
    serializeError(new AggregateError([new TypeError('a'), new tree.DeadlockError('b')], 'both')),
  ) as AggregateError;
  assert.ok(received instanceof AggregateError);
  assert.ok(received.errors[0] instanceof TypeError);
  assert.ok(received.errors[1] instanceof tree.DeadlockError);
  const aborted = deserializeError(serializeError(AbortSignal.abort().reason));
  assert.ok(aborted instanceof DOMException);
  assert.equal(aborted.name, 'AbortError');
  assert.equal(deserializeError(serializeError('just text')), 'just text');
  assert.deepEqual(deserializeError(serializeError({ a: [1] })), { a: [1] });
  assert.equal(deserializeError(JSON.parse(JSON.stringify(serializeError(undefined)))), 'undefined');
  assert.equal(typeof deserializeError(serializeError(Symbol('s'))), 'string');
});

test('circles, endless chains and hostile properties are cut', () => {
  const circle = new Error('circle');
  circle.cause = circle;
  const record = serializeError(circle);
  let depth = 0;
  for (let at: SerializedError | undefined = record; at !== undefined; at = at.cause) depth += 1;
  assert.equal(depth, 9);
  const hostile = new Error('hostile');
  Object.defineProperty(hostile, 'trap', {
    enumerable: true,
    get: () => assert.fail('a getter was run'),
  });
  Object.defineProperty(hostile, '__proto__', { value: { polluted: true }, enumerable: true });
  const received = deserializeError(JSON.parse(JSON.stringify(serializeError(hostile)))) as Error;
  assert.equal(Object.getPrototypeOf(received), Error.prototype);
  assert.equal((received as { polluted?: boolean }).polluted, undefined);
  for (const bad of [undefined, null, 3, 'x', {}, { athanor: 'error' }, { athanor: 'error', name: 1 }]) {
    assert.match(String(deserializeError(bad)), /not in the form/);
  }
});
