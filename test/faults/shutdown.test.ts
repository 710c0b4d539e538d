// A service is told to end: under load, twice, and while it connects. What it acknowledged is there, what was under way
// is there whole or not at all, and it ends in time with the exit code it chose.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { OperationalError } from '../../src/errors/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory();
const PROGRAM = fileURLToPath(new URL('./programs/writer.ts', import.meta.url));

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** From the first signal. */
  readonly took: number;
}

interface Shutdown {
  readonly url?: string;
  /** Run inside every transaction. */
  readonly statement?: string;
  /** How many lines the writer says before it is told to end. */
  readonly after: number;
  /** What else is done once it has been told. */
  readonly then?: (kill: () => void) => Promise<void> | void;
}

/** Whether all four writers are in their long statement. */
async function sleeping(lab: Lab): Promise<boolean> {
  const rows = await lab.server.query(
    "select 1 from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'",
    [lab.name],
  );
  return rows.length === 4;
}

/** Runs the writer, tells it to end, and enters into the ledger what it said. */
async function shutDown(lab: Lab, { url = lab.server.url, statement = '', after, then }: Shutdown): Promise<Ending> {
  const child = spawn(process.execPath, [PROGRAM, url, lab.name, statement], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit') as Promise<[number | null, string | null]>;
  const closed = once(child.stdout, 'close');
  const open = new Set<string>();
  let lines = 0;
  let stopping = false;
  const doubt = new OperationalError('it was never told', { outcome: 'unknown', connectionId: 'none' });
  createInterface(child.stdout).on('line', (line) => {
    lines += 1;
    const [word, work = '', outcome] = line.split(' ');
    if (word === 'stopping') stopping = true;
    else if (word === 'begin') open.add(work);
    else {
      open.delete(work);
      const error = outcome === 'unknown' ? doubt : undefined;
      if (word === 'done' || error !== undefined)
        lab.ledger.note({ work, parts: 2, took: 0, acked: word === 'done', error });
    }
  });
  await lab.until(() => lines >= after, 'the writer is at work');
  if (statement !== '') await lab.until(() => sleeping(lab), 'its statements run');
  const begun = performance.now();
  child.kill('SIGTERM');
  await lab.until(() => stopping || child.exitCode !== null, 'it heard');
  await then?.(() => child.kill('SIGTERM'));
  const [code, signal] = await gone;
  const took = performance.now() - begun;
  await closed;
  for (const work of open) lab.ledger.note({ work, parts: 2, took: 0, acked: false, error: doubt });
  return { code, signal, took };
}

fault('SIGTERM under load: what is under way is finished, and the exit code is kept', async (lab) => {
  const { code, took } = await shutDown(lab, { after: 200 });
  lab.figure('end under load', took);
  assert.equal(code, 7);
  assert.ok(took < 2_500, `${took} ms`);
  assert.ok(lab.ledger.acked > 50);
});

fault('SIGTERM while statements take longer than the deadline: they are cut off at it', async (lab) => {
  const { code, took } = await shutDown(lab, { after: 4, statement: 'select pg_sleep(10)' });
  lab.figure('end at the deadline', took);
  assert.equal(code, 7);
  assert.ok(took >= 1_900 && took < 5_000, `${took} ms`);
});

fault('a second SIGTERM ends it at once', async (lab) => {
  const { signal, took } = await shutDown(lab, {
    after: 4,
    statement: 'select pg_sleep(10)',
    then: (kill) => kill(),
  });
  lab.figure('end at once', took);
  assert.equal(signal, 'SIGTERM');
  assert.ok(took < 1_500, `${took} ms`);
});

fault('SIGTERM while it connects to a server that does not answer', async (lab) => {
  const proxy = await lab.proxy();
  await proxy.order({ fault: 'silence' });
  const url = lab.server.url.replace(`:${lab.server.port}/`, `:${proxy.port}/`);
  const { code, took } = await shutDown(lab, { url, after: 4 });
  lab.figure('end while connecting', took);
  assert.equal(code, 7);
  assert.ok(took < 3_500, `${took} ms`);
});
