// The founding programme itself, in short slices: every variant with and without TLS, eight children at a time, six
// connections, children killed while they work. What it says of itself it has read back from the server.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../servers.ts';

const program = fileURLToPath(new URL('../../examples/founding/run.ts', import.meta.url));

interface Outcome {
  readonly right: boolean;
  readonly variants: readonly { name: string; iterations: number; right: number; killed: number }[];
  readonly sharedRow: readonly { way: string; expected: number; value: number }[];
  readonly refusals: readonly { channel: string; code: string | undefined }[];
  readonly killed: number;
  readonly usualWay: { asked: number; refused: number; failed: number } | undefined;
  readonly verdict: readonly { right: boolean; what: string; text: string; details: string[] }[];
}

interface Play {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function play(args: readonly string[], env: Readonly<Record<string, string>> = {}): Play {
  const { DATABASE_URL: _none, FORCE_COLOR: _colour, ATHANOR_BUDGET: _budget, ...rest } = process.env;
  const child = spawn(process.execPath, [program, ...args], { env: { ...rest, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}

async function outcome(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await play([...args, '--json'], env).ended;
  assert.equal(stderr, '');
  const told = JSON.parse(stdout) as Outcome;
  const wrong = told.verdict.filter(({ right }) => !right);
  assert.deepEqual(wrong, []);
  assert.equal(code, 0);
  return told;
}

for (const tls of [true, false]) {
  for (const variant of tls ? ['globals', 'scoped', 'cure', 'forced-gc'] : ['globals', 'scoped', 'cure']) {
    test(`${variant} ${tls ? 'with' : 'without'} TLS: every row right, six connections never exceeded, the log clean`, async () => {
      const told = await outcome([
        ...['--variant', variant, '--iterations', '16', '--processes', '8', '--budget', '6'],
        ...['--kill-every', '300', '--seed', '7', ...(tls ? [] : ['--no-tls'])],
      ]);
      const [only] = told.variants;
      assert.equal(only?.iterations, 16);
      assert.equal(only?.right, 16);
      assert.ok(told.killed > 0, 'a run without a killed child shows too little');
      assert.match(
        told.verdict.find(({ what }) => what === 'connections')?.text ?? '',
        /^at most [1-6] of 6 .*; 0 left/,
      );
    });
  }
}

test('the whole programme, where there is no terminal: two acts in plain lines and a verdict', async () => {
  const { code, stdout, stderr } = await play(['--iterations', '4', '--kill-every', '500', '--processes', '4']).ended;
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u);
  for (const expected of [
    /^Act 1: /m,
    /refused by the server \(53300/,
    /^Act 2: /m,
    /^right {2}rows .*16 of 16/m,
    /^right {2}lost updates {2}0; .*40 of 40 by assign, 40 of 40 by forUpdate, 40 of 40 by version/m,
    /^right {2}crossing .*6 of 6/m,
    /^right {2}connections .* of 6 /m,
    /^right {2}server log {4}0 of/m,
    /^All of it held\.$/m,
  ]) {
    assert.match(stdout, expected);
  }
  assert.equal(code, 0);
});

test('what is broken on purpose shows a user the error that names the cure', async () => {
  const told = await outcome(['--variant', 'broken']);
  assert.equal(told.refusals.length, 6);
  for (const { channel, code } of told.refusals) assert.equal(code, 'ATH_NOT_TRANSFERABLE', channel);
});

test("on a user's own server connections are sampled, which is said, and nothing of the programme stays", async () => {
  const server = await startPostgres({ tls: 'offered' });
  try {
    const url = await server.role('owner_of_all');
    const told = await outcome(['--iterations', '2', '--kill-every', '0', '--processes', '2'], { DATABASE_URL: url });
    assert.equal(told.usualWay, undefined);
    assert.match(told.verdict.find(({ what }) => what === 'connections')?.text ?? '', /sampled/);
    const again = await play(['--iterations', '1', '--variant', 'cure'], { DATABASE_URL: url }).ended;
    assert.equal(again.code, 0, again.stderr);
    assert.doesNotMatch(again.stdout, /secret-of/);
  } finally {
    await server.stop();
  }
});

test('a wrong option or an unreachable server is one line on standard error, and no password', async () => {
  for (const [args, env, expected] of [
    [['--foo'], {}, /Unknown option '--foo'/],
    [['--processes', '0'], {}, /--processes must be a whole number from 1 to 64/],
    [['--iterations', '1e3'], {}, /--iterations must be a whole number/],
    [['--variant', 'nix'], {}, /--variant must be one of globals/],
    [['file'], {}, /Unexpected argument 'file'/],
    [
      [],
      { DATABASE_URL: 'postgresql://bob:secret@127.0.0.1:1/x' },
      /cannot connect to the server of DATABASE_URL: .*ECONNREFUSED/,
    ],
    [[], { DATABASE_URL: 'mysql://bob:secret@127.0.0.1/x' }, /must begin with postgresql:/],
    [[], { DATABASE_URL: 'my secret server' }, /DATABASE_URL is not a URL/],
  ] satisfies [string[], Record<string, string>, RegExp][]) {
    const { code, stdout, stderr } = await play(args, env).ended;
    assert.notEqual(code, 0);
    assert.match(stderr, expected);
    assert.match(stderr, /^founding: [^\n]+\n$/);
    assert.doesNotMatch(stdout + stderr, /secret|\n +at /);
  }
});

test('--help says it all on standard output', async () => {
  const { code, stdout, stderr } = await play(['--help']).ended;
  assert.deepEqual([code, stderr], [0, '']);
  for (const name of ['iterations', 'processes', 'budget', 'no-tls', 'kill-every', 'variant', 'seed', 'json']) {
    assert.match(stdout, new RegExp(`--${name}\\b`));
  }
});

test('a reader that goes away ends it, with nothing left running', { skip: process.platform !== 'linux' }, async () => {
  const mark = `FOUNDING_TEST_RUN=${randomUUID()}`;
  const [name = '', value = ''] = mark.split('=');
  const { child, ended } = play(['--variant', 'globals', '--iterations', '100000'], { [name]: value });
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { code, stderr } = await ended;
  assert.deepEqual([code, stderr], [130, '']);
  await nothingLeft(mark);
});

test('Ctrl-C ends it with 130 and leaves nothing running', { skip: process.platform !== 'linux' }, async () => {
  const mark = `FOUNDING_TEST_RUN=${randomUUID()}`;
  const [name = '', value = ''] = mark.split('=');
  const { child, ended } = play(['--variant', 'globals', '--iterations', '100000'], { [name]: value });
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (text: string) => {
      if (/ [1-9]\d* iterations/.test(text)) resolve();
    });
  });
  assert.ok(marked(mark).length > 1, 'children and server carry the mark');
  child.kill('SIGINT');
  assert.equal((await ended).code, 130);
  await nothingLeft(mark);
});

async function nothingLeft(mark: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (marked(mark).length > 0 && performance.now() < deadline) await sleep(50);
  assert.deepEqual(marked(mark), []);
}

/** The processes that were started, at whatever remove, with this in their environment. */
function marked(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)
        ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
        : [];
    } catch {
      return [];
    }
  });
}
