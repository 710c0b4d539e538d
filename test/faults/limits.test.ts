// What there is too little of: connections, permits, memory, disk, time. Each is told by its name, inside its deadline.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type AthanorError,
  deserializeError,
  NestedCheckoutError,
  OperationalError,
  PoolTimeoutError,
  type SerializedError,
  ServerFullError,
} from '../../src/index.ts';
import { faultLaboratory } from './harness.ts';

const fault = faultLaboratory();

fault("[T28] a role's own limit of 5, reached by others, is waited for inside the deadline, then told", async (lab) => {
  const role = `limited${lab.name.replaceAll('-', '')}`;
  const url = await lab.server.role(role, { connectionLimit: 5 });
  const others = lab.engine({ url, max: 4 });
  const engine = lab.engine({ url, max: 3, pool: { acquireTimeout: 10_000 } });
  const held = await engine.connect();
  await held.raw('select 1').all();
  const taken = await Promise.all([1, 2, 3, 4].map(() => others.connect()));
  const error = await lab.within(700, 'refusal at the deadline', () => lab.fails(engine.connect({ timeout: 700 })));
  assert.ok(error instanceof PoolTimeoutError, String(error));
  assert.ok(error.cause instanceof ServerFullError, String(error.cause));
  assert.equal(error.retryable, true);
  assert.deepEqual(
    error.holders.map(({ connectionId }) => connectionId),
    [held.connectionId],
  );
  const waiting = lab.within(10_000, 'served when there is room', () => engine.connect({ timeout: 10_000 }));
  await sleep(100);
  for (const connection of taken) await connection.close();
  await others.close();
  await (await waiting).close();
  await held.close();
});

fault('[T31] nested checkout over the budget: at once in one task, at the deadline over processes', async (lab) => {
  const engine = lab.engine({ max: 1 });
  const nested = await lab.within(50, 'refusal in one task', () =>
    lab.fails(
      engine.begin(async (connection) => {
        await connection.raw('select 42').all();
        await engine.begin((inner) => inner.raw('select 43').all());
      }),
    ),
  );
  assert.ok(nested instanceof NestedCheckoutError, String(nested));
  assert.match(nested.message, /select 42/);
  // A parent that waits for its child while it holds the only permit: nobody can see that, so the deadline ends it.
  const program = fileURLToPath(new URL('./programs/parent.ts', import.meta.url));
  const child = fork(program, [lab.server.url], { execArgv: [] });
  const gone = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), gone.then(() => [undefined])]);
  const answer = first[0] as { error: SerializedError; took: number } | undefined;
  assert.ok(answer !== undefined, 'the parent ended without a word');
  const error = deserializeError(answer.error) as AthanorError & { readonly holders: readonly object[] };
  assert.ok(['ATH_POOL_TIMEOUT', 'ATH_BUDGET_TIMEOUT'].includes(error.code), String(error));
  assert.match(error.message, /longest holder pid \d+/);
  assert.ok(answer.took >= 2_990 && answer.took < 4_500, `${answer.took} ms`);
  lab.figure('refusal over processes', answer.took);
  await gone;
});

fault('[T51] a full disk (53100) and memory that is out (53200): typed, and not to be tried again', async (lab) => {
  const engine = lab.engine({ max: 1 });
  const shared = await lab.fails(
    engine.begin((connection) =>
      connection.raw('select count(pg_advisory_xact_lock(n)) from generate_series(1, 200000) as n').all(),
    ),
  );
  assert.ok(shared instanceof OperationalError, String(shared));
  assert.equal(shared.sqlState, '53200');
  assert.equal(shared.retryable, false);
  await lab.server.query('drop table if exists filled');
  await lab.server.query('create table filled (text text)');
  const [{ path } = { path: '' }] = await lab.server.query<{ path: string }>(
    "select pg_relation_filepath('filled') as path",
  );
  await lab.server.query('checkpoint');
  // A device that is always full takes the place of the table's file.
  const file = join(dirname(lab.server.logFile), 'postgres', path);
  rmSync(file);
  symlinkSync('/dev/full', file);
  const full = await lab.fails(
    engine.begin((connection) => connection.raw("insert into filled values ('does not fit')").all()),
  );
  await lab.server.query('drop table filled');
  assert.ok(full instanceof OperationalError, String(full));
  assert.equal(full.sqlState, '53100');
  assert.equal(full.outcome, 'failed');
  assert.equal(full.retryable, false);
});

fault('[T52] the wall clock jumps an hour either way: deadlines do not care', async (lab) => {
  const { Date: RealDate } = globalThis;
  const jump = (hours: number): void => {
    globalThis.Date = class extends RealDate {
      constructor(...given: ConstructorParameters<typeof RealDate> | []) {
        super(...((given.length === 0 ? [RealDate.now() + hours * 3_600_000] : given) as [number]));
      }
      static override now(): number {
        return RealDate.now() + hours * 3_600_000;
      }
    } as DateConstructor;
  };
  lab.undo(() => {
    globalThis.Date = RealDate;
  });
  const engine = lab.engine({ max: 1, pool: { acquireTimeout: 400 } });
  const held = await engine.connect();
  for (const hours of [1, -1]) {
    jump(0);
    const waiting = lab.within(400, 'pool deadline', () => lab.fails(engine.connect()));
    const running = lab.within(700, 'statement deadline', () =>
      lab.fails(held.raw('select pg_sleep(20)', [], { timeout: 500 }).all()),
    );
    await sleep(50);
    jump(hours);
    const begun = performance.now();
    assert.ok((await waiting) instanceof PoolTimeoutError);
    assert.ok(performance.now() - begun >= 250, 'it was given up too early');
    assert.equal((await running).code, 'ATH_STATEMENT_TIMEOUT');
    await held.rollback();
  }
  assert.deepEqual(await held.raw('select 1 as one').all(), [{ one: 1 }]);
  await held.close();
});
