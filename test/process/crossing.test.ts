// Nothing that lives in one process may be sent to another: each kind of object over each channel Node has.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { after, before, test } from 'node:test';
import { format, inspect } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import {
  createEngine,
  declarativeBase,
  deleteFrom,
  type Engine,
  insert,
  integer,
  NotTransferableError,
  select,
  sessionmaker,
  update,
} from '../../src/index.ts';
import { startPostgres } from '../servers.ts';

class Base extends declarativeBase() {}
class Dummy extends Base.table('crossing_dummies', { id: integer().primaryKey(), value: integer() }) {}

let server: Awaited<ReturnType<typeof startPostgres>>;
let engine: Engine;
let password: string;
const closers: (() => Promise<unknown>)[] = [];
/** What must not cross, by name. */
let guarded: Readonly<Record<string, object>>;

before(async () => {
  server = await startPostgres({});
  password = new URL(server.url).password;
  assert.ok(password.length > 0, 'the test needs a password to look for');
  engine = createEngine(server.url);
  await Base.metadata.createAll(engine);
  const session = sessionmaker({ bind: engine })();
  const connection = await engine.connect();
  const transaction = await connection.begin();
  const result = connection.execute(select(Dummy.c.id));
  await result.all();
  closers.push(
    () => session.close(),
    () => connection.close(),
    () => engine.close(),
  );
  guarded = {
    engine,
    pool: engine.pool,
    connection,
    transaction,
    session,
    result,
    select: select(Dummy).where(Dummy.c.id.eq(1)),
    insert: insert(Dummy).values({ value: 1 }),
    update: update(Dummy).set({ value: 1 }).everyRow(),
    delete: deleteFrom(Dummy).everyRow(),
  };
});

after(async () => {
  for (const close of closers) await close();
  await server.stop();
});

/** A child that only waits, on the channel under test. */
async function withChild(
  serialization: 'json' | 'advanced',
  work: (child: ChildProcess) => void | Promise<void>,
): Promise<void> {
  const child = fork(new URL('./programs/idle.ts', import.meta.url), { serialization });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.once('message', resolve));
  try {
    await work(child);
  } finally {
    child.kill();
    await gone;
  }
}

/** What was refused goes on working where it belongs. */
async function worksHere(): Promise<void> {
  const { connection } = guarded as { readonly connection: Awaited<ReturnType<Engine['connect']>> };
  await connection.execute(select(Dummy.c.id));
  await engine.begin((own) => own.execute(select(Dummy.c.id)).all());
}

const refusal = (name: string) => (error: unknown) => {
  assert.ok(error instanceof NotTransferableError, `${name}: ${inspect(error)}`);
  assert.equal(error.code, 'ATH_NOT_TRANSFERABLE');
  assert.ok(error.hint !== undefined && error.hint.length > 0, 'the error says what to send instead');
  assert.ok(!inspect(error).includes(password));
  return true;
};

for (const serialization of ['json', 'advanced'] as const) {
  test(`[X01] [T05] child.send over ${serialization} IPC throws in the sender, at any depth`, async () => {
    await withChild(serialization, (child) => {
      for (const [name, value] of Object.entries(guarded)) {
        assert.throws(() => child.send(value as never), refusal(name));
        assert.throws(() => child.send({ deep: [{ value }] } as never), refusal(name));
      }
    });
    await worksHere();
  });
}

test('[X01] [T05] postMessage, workerData and structuredClone throw in the sender, at any depth', async () => {
  const { port1, port2 } = new MessageChannel();
  try {
    for (const [name, value] of Object.entries(guarded)) {
      for (const sent of [value, { deep: [{ value }] }]) {
        assert.throws(() => structuredClone(sent), refusal(name));
        assert.throws(() => port1.postMessage(sent), refusal(name));
        assert.throws(() => new Worker('', { eval: true, workerData: sent }), refusal(name));
      }
    }
  } finally {
    port1.close();
    port2.close();
  }
  await worksHere();
});

test('[X01] logging never throws and never shows the password', async () => {
  for (const [name, value] of Object.entries(guarded)) {
    for (const text of [
      inspect(value, { depth: 20, showHidden: true }),
      format('%o %O %j %s', value, value, value, value),
      JSON.stringify({ value }),
    ]) {
      assert.ok(!text.includes(password), `${name} shows the password: ${text}`);
    }
    const copy = { ...(value as Record<string, unknown>) };
    assert.equal(typeof copy, 'object');
    assert.deepStrictEqual(value, value);
  }
  await worksHere();
});
