// Processes that are killed at random moments of a flush into a SQLite file: the file is sound, what was acknowledged
// is in it, and nothing is in it by half.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/index.ts';

const PROGRAM = fileURLToPath(new URL('./programs/sqlite-writer.ts', import.meta.url));
/** Fewer where a machine has little time: then it proves little. */
const KILLS = Number(process.env['ATHANOR_FAULT_KILLS'] ?? 200);
const MARK = KILLS >= 200 ? '[T50] ' : '';
const AT_ONCE = 4;

/** Starts a writer, kills it a moment after it had begun or acknowledged a unit or two, and gives what it had acknowledged. */
async function kill(file: string, name: string): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, file, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  let said = '';
  // Counted in what it says, not in time: a busy machine writes as much before the kill as an idle one.
  const lines = 1 + Math.floor(Math.random() * 3);
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.split('\n').length > lines) resolve();
    });
  });
  await Promise.race([ready, gone]);
  await sleep(Math.random() * 10);
  child.kill('SIGKILL');
  const [, signal] = (await gone) as [unknown, string];
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself');
  return said.split('\n').slice(1, -1);
}

/** One file, killed over and over; gives how many of its kills left acknowledged work. */
async function file(number: number, kills: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-killed-'));
  try {
    const path = join(folder, 'killed.db');
    const acked: string[] = [];
    for (let at = 0; at < kills; at += 1) acked.push(...(await kill(path, `${number}.${at}`)));
    const engine = createEngine(`sqlite:${path}`);
    await engine.begin(async (connection) => {
      assert.deepEqual(await connection.raw('pragma integrity_check').all(), [{ integrity_check: 'ok' }]);
      const rows = await connection
        .raw<{ work: string; n: number }>('select work, count(*) as n from line group by work')
        .all();
      const found = new Map(rows.map(({ work, n }) => [work, Number(n)]));
      assert.deepEqual(
        [...found].filter(([, n]) => n !== 50),
        [],
        'units that are there in part',
      );
      assert.deepEqual(
        acked.filter((work) => !found.has(work)),
        [],
        'acknowledged and lost',
      );
    });
    await engine.close();
    return acked.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test(`${MARK}${KILLS} times SIGKILL in the middle of flushes into SQLite`, { timeout: 230_000 }, async (context) => {
  const counts = await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => file(number, KILLS / AT_ONCE)));
  const acked = counts.reduce((sum, one) => sum + one, 0);
  context.diagnostic(`${acked} units were acknowledged`);
  assert.ok(acked > KILLS / 4, 'too little was ever written');
});
