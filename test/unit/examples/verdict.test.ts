import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Crew } from '../../../examples/founding/stage/crew.ts';
import type { Observer } from '../../../examples/founding/stage/observer.ts';
import { Tally } from '../../../examples/founding/stage/tally.ts';
import { verdict, type VerdictLine } from '../../../examples/founding/stage/verdict.ts';

const at = '2026-11-22 23:00:00.000 UTC';
const healthy = [
  `${at} [1] <> <> LOG:  database system is ready to accept connections`,
  `${at} [20] <[unknown]> <[unknown]> LOG:  connection received: host=127.0.0.1 port=44208`,
  `${at} [20] <founding> <[unknown]> LOG:  connection authorized: user=founding database=postgres`,
  `${at} [20] <founding> <athanor/777/1> LOG:  disconnection: session time: 0:00:00.100 user=founding database=postgres`,
];

interface Case {
  readonly log?: readonly string[];
  readonly budget?: number;
  readonly values?: ReadonlyMap<number, number>;
  readonly prepare?: (tally: Tally, crew: Crew) => void;
}

/** The verdict on a run that left this log and these rows: its wrong lines. */
async function wrong({ log = healthy, budget = 6, values = new Map(), prepare }: Case): Promise<VerdictLine[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'founding-'));
  try {
    const logFile = path.join(folder, 'server.log');
    writeFileSync(logFile, `${log.join('\n')}\n`);
    const tally = new Tally();
    const crew = new Crew(1);
    prepare?.(tally, crew);
    const observer = { values: () => Promise.resolve(values), peak: 0, looks: 0, backends: [] } as unknown as Observer;
    const lines = await verdict({ tally, crew, observer, budget, role: 'founding', logFile });
    return lines.filter(({ right }) => !right);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a healthy run is right', async () => {
  assert.deepEqual(await wrong({}), []);
});

test('the lines of the founding failure make the verdict wrong, each alone', async () => {
  for (const line of [
    `${at} [20] <founding> <athanor/777/1> LOG:  SSL error: decryption failed or bad record mac`,
    `${at} [20] <founding> <athanor/777/1> LOG:  could not receive data from client: Connection reset by peer`,
    `${at} [20] <founding> <athanor/777/1> WARNING:  there is no transaction in progress`,
  ]) {
    const [only, ...others] = await wrong({ log: [...healthy.slice(0, 3), line, ...healthy.slice(3)] });
    assert.equal(only?.what, 'server log');
    assert.deepEqual(only?.details, [line]);
    assert.deepEqual(others, []);
  }
});

test('the same reset is right where the child of that connection was killed', async () => {
  const line = `${at} [20] <founding> <athanor/777/1> LOG:  could not receive data from client: Connection reset by peer`;
  const prepare = (_tally: Tally, crew: Crew): void => {
    const handle = { pid: 777, kill: () => true, then: () => new Promise(() => {}) as never };
    void crew.follow('increment', 1, handle);
    assert.equal(crew.killOne()?.pid, 777);
  };
  assert.deepEqual(await wrong({ log: [...healthy.slice(0, 3), line, ...healthy.slice(3)], prepare }), []);
});

test('one connection over the budget, or one left open, is wrong', async () => {
  const second = healthy.slice(1).map((line) => line.replace('[20]', '[21]'));
  assert.equal(
    (await wrong({ budget: 1, log: [...healthy.slice(0, 3), ...second, ...healthy.slice(3)] }))[0]?.what,
    'connections',
  );
  assert.equal((await wrong({ log: healthy.slice(0, 3) }))[0]?.what, 'connections');
  assert.equal((await wrong({ log: healthy.slice(0, 1) }))[0]?.what, 'connections');
});

test('a lost update, a missing row and an unexpected error are wrong; the row of a killed child may be 1 or 2', async () => {
  const rows = (read: readonly { id: number; value: number }[], killed?: number) => (tally: Tally) => {
    if (killed !== undefined) tally.killed(killed);
    tally.take(tally.variant('globals'), read);
  };
  const both = [
    { id: 1, value: 2 },
    { id: 2, value: 2 },
  ];
  const right = new Map([
    [1, 2],
    [2, 2],
  ]);
  assert.deepEqual(await wrong({ prepare: rows(both), values: right }), []);
  assert.equal((await wrong({ prepare: rows(both), values: new Map([[1, 2]]) }))[0]?.details[0], 'row 2 is missing');
  assert.equal((await wrong({ prepare: rows(both), values: new Map(right).set(2, 1) }))[0]?.details[0], 'row 2 is 1');
  assert.equal((await wrong({ prepare: rows([{ id: 1, value: 1 }]), values: right }))[0]?.what, 'rows');
  assert.deepEqual(await wrong({ prepare: rows([{ id: 1, value: 1 }], 1), values: new Map([[1, 1]]) }), []);
  assert.equal((await wrong({ prepare: rows([{ id: 1, value: 3 }], 1), values: new Map([[1, 3]]) }))[0]?.what, 'rows');
  const lost = (tally: Tally): void => void tally.counts.push({ way: 'assign', expected: 80, value: 79 });
  assert.equal((await wrong({ prepare: lost }))[0]?.what, 'lost updates');
  const through = (tally: Tally): void => void tally.attempts.push({ channel: 'postMessage', refusal: undefined });
  assert.deepEqual((await wrong({ prepare: through }))[0]?.details, ['postMessage']);
  assert.equal((await wrong({ prepare: (tally) => void tally.errors.push('x') }))[0]?.what, 'errors');
});
