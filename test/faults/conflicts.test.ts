// Transactions that are in each other's way: cancels that come too late, deadlocks, and write skew, between real
// processes.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserializeError, type SerializedError } from '../../src/errors/serialize.ts';
import { CancelledError } from '../../src/errors/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';
import type { Conflict, ConflictPlan, ConflictReport } from './programs/conflicts.ts';

const fault = faultLaboratory();
const PROGRAM = fileURLToPath(new URL('./programs/conflicts.ts', import.meta.url));

type Message = { readonly locked: true } | { readonly report: ConflictReport } | { readonly error: SerializedError };

class Rival {
  readonly child: ChildProcess;
  readonly report: Promise<ConflictReport>;
  readonly locked: Promise<void>;

  constructor(plan: ConflictPlan) {
    this.child = fork(PROGRAM, [], { execArgv: [] });
    let isLocked: () => void = () => {};
    this.locked = new Promise((resolve) => {
      isLocked = resolve;
    });
    this.report = new Promise((resolve, reject) => {
      this.child.on('message', (message: Message) => {
        if ('locked' in message) isLocked();
        else if ('report' in message) resolve(message.report);
        else reject(deserializeError(message.error) as Error);
      });
      this.child.once('exit', (code) => reject(new TypeError(`a rival ended with ${code}`)));
    });
    this.child.send(plan);
  }
}

async function rows(lab: Lab, values: readonly number[]): Promise<void> {
  await lab.server.query('create table if not exists conflict (id int primary key, value int, name text)');
  await lab.server.query('delete from conflict');
  await lab.server.query(
    "insert into conflict select n, value, '' from unnest($1::int[]) with ordinality as t (value, n)",
    [values],
  );
}

async function rivals(lab: Lab, conflicts: readonly Conflict[]): Promise<ConflictReport[]> {
  const all = conflicts.map((conflict) => new Rival({ url: lab.server.url, conflict }));
  if (conflicts[0]?.kind === 'cross') {
    await Promise.all(all.map(({ locked }) => locked));
    for (const { child } of all) child.send('go');
  }
  return Promise.all(all.map(({ report }) => report));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

for (const processes of [2, 3]) {
  fault(
    `a deadlock of ${processes} processes: whole transactions are run again, and all of them commit`,
    async (lab) => {
      await rows(
        lab,
        Array.from({ length: processes }, () => 0),
      );
      const reports = await lab.within(15_000, 'all commit', () =>
        rivals(
          lab,
          Array.from({ length: processes }, (_, at) => ({
            kind: 'cross' as const,
            from: at + 1,
            to: ((at + 1) % processes) + 1,
          })),
        ),
      );
      assert.ok(sum(reports.map(({ runs }) => runs)) > processes, 'there was no deadlock');
      // Each row was changed by two processes, once each, however often they ran.
      const found = await lab.server.query<{ value: number }>('select value from conflict');
      assert.deepEqual(
        found.map(({ value }) => value),
        Array.from({ length: processes }, () => 2),
      );
    },
  );
}

fault('units of work that change the same rows in any order do not deadlock', async (lab) => {
  await rows(
    lab,
    Array.from({ length: 20 }, () => 0),
  );
  const before = lab.server.log().split('deadlock detected').length;
  const reports = await lab.within(20_000, '75 flushes', () =>
    rivals(
      lab,
      [1, 2, 3].map(() => ({ kind: 'flush', rounds: 25 })),
    ),
  );
  assert.equal(sum(reports.map(({ commits }) => commits)), 75);
  assert.equal(lab.server.log().split('deadlock detected').length, before);
});

fault('write skew of 8 processes: run again, they end where some order of theirs would', async (lab) => {
  await rows(lab, [200, 200]);
  const reports = await lab.within(25_000, '160 transactions', () =>
    rivals(
      lab,
      Array.from({ length: 8 }, () => ({ kind: 'skew' as const, rounds: 20 })),
    ),
  );
  const runs = sum(reports.map((report) => report.runs));
  const taken = sum(reports.map((report) => report.taken));
  const [{ left } = { left: 0 }] = await lab.server.query<{ left: number }>(
    'select sum(value)::int as left from conflict',
  );
  assert.ok(runs > 160, 'nothing was ever in conflict');
  // One after the other in any order, they take what is there and never more.
  assert.equal(left, 400 - taken);
  assert.ok(left >= 0, `the accounts were overdrawn to ${left}`);
  lab.figure('retries for each 1000 commits', ((runs - 160) / 160) * 1000);
});

const TRIES = 10_000;

fault(`[T39] ${TRIES} cancels that race with the end of their statement never hit the next one`, async (lab) => {
  const engine = lab.engine({ max: 8 });
  let cancelled = 0;
  const worker = async (): Promise<void> => {
    const connection = await engine.connect({ isolation: 'autocommit' });
    for (let i = 0; i < TRIES / 8; i += 1) {
      const abort = new AbortController();
      // Some end before a cancel can reach them, some after, and some at the same moment.
      const racing = connection.raw(`select pg_sleep(${(i % 4) * 0.0004})`, [], { signal: abort.signal }).all();
      if (i % 3 === 0) queueMicrotask(() => abort.abort());
      else setImmediate(() => abort.abort());
      const next = racing.then(
        () => undefined,
        (error: unknown) => {
          assert.ok(error instanceof CancelledError, String(error));
          cancelled += 1;
        },
      );
      const innocent = connection.raw('select 2 as two').all();
      await next;
      assert.deepEqual(await innocent, [{ two: 2 }]);
    }
    await connection.close();
  };
  await lab.within(200_000, `${TRIES} races`, () => Promise.all(Array.from({ length: 8 }, worker)));
  assert.ok(cancelled > 0 && cancelled < TRIES, `${cancelled} were cancelled: there was no race`);
});
