// The everyday form of the founding failure is a count: every process owns a pool, and together they ask more than the
// server has. Programs that only call createEngine(url) must not see it.
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../servers.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
before(async () => {
  server = await startPostgres({ settings: { max_connections: '20' } });
});
after(() => server.stop());

interface Report {
  readonly succeeded: number;
  readonly failures: readonly string[];
}

async function reports(child: ChildProcess): Promise<Report[]> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, err);
  return out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Report);
}

function allSucceeded(all: readonly Report[]): void {
  assert.deepEqual(
    all.flatMap((report) => report.failures),
    [],
  );
  assert.equal(
    all.reduce((sum, report) => sum + report.succeeded, 0),
    40,
  );
}

const program = new URL('./programs/ten-queries.ts', import.meta.url);
const environment = (): NodeJS.ProcessEnv => {
  const { ATHANOR_BUDGET: _none, ...rest } = process.env;
  return { ...rest, TEST_DATABASE_URL: server.url };
};

test('[X02] four forked processes with no option, ten queries each at once, on a server of 20: 40 of 40', async () => {
  const children = Array.from({ length: 4 }, () => fork(program, { env: environment(), silent: true }));
  allSucceeded((await Promise.all(children.map(reports))).flat());
});

test('[X02] the same under a cluster primary that never touches the database', async () => {
  allSucceeded(
    await reports(
      spawn(process.execPath, [fileURLToPath(new URL('./programs/cluster-primary.ts', import.meta.url))], {
        env: environment(),
      }),
    ),
  );
});

test('[X02] the same from programs that know nothing of each other', async () => {
  const strangers = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [fileURLToPath(program)], { env: environment(), detached: true }),
  );
  allSucceeded((await Promise.all(strangers.map(reports))).flat());
});
