// The broker behind its socket: who comes with bad manners is cut and harms nobody, one serves however many want to,
// and on a real server a permit returns only when its connection is gone.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BrokerServer } from '../../src/process/broker/broker-server.ts';
import { encodeFrame, FrameReader } from '../../src/process/frame.ts';
import { BudgetFolder } from '../../src/process/meeting/budget-folder.ts';
import type { BrokerMessage, Hello } from '../../src/process/messages.ts';
import { startPostgres } from '../servers.ts';
import { Stage, until } from './budget-harness.ts';
import { openMonitor } from './fixtures/tiny-client.ts';
import { TinyServer } from './fixtures/tiny-server.ts';

/** The end of a line in bare hands. */
class Peer {
  readonly socket: Socket;
  readonly heard: BrokerMessage[] = [];
  readonly closed: Promise<void>;
  constructor(address: string) {
    this.socket = connect(address);
    const reader = new FrameReader();
    this.socket.on('data', (chunk) => {
      for (const message of reader.read(chunk as Uint8Array)) this.heard.push(message as BrokerMessage);
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }
  say(...messages: object[]): void {
    for (const message of messages) this.socket.write(encodeFrame(message));
  }
  get denied(): string | undefined {
    for (const message of this.heard) if (message.type === 'denied') return message.reason;
    return undefined;
  }
  get grants(): string[] {
    return this.heard.flatMap((message) => (message.type === 'grant' ? message.id : []));
  }
}

describe('a broker’s socket', () => {
  let stage: Stage;
  let server: TinyServer;
  let folder: BudgetFolder;
  let broker: BrokerServer;
  before(async () => {
    stage = new Stage();
    server = await TinyServer.start();
    folder = new BudgetFolder(join(stage.folder, 'budget'));
    const started = await BrokerServer.start({
      folder: folder.path,
      openMonitor: () => openMonitor({ port: server.port }),
    });
    assert.ok(started !== undefined);
    broker = started;
  });
  after(async () => {
    await broker.stop();
    await stage.close();
    await server.stop();
  });

  const address = (): string => folder.broker()?.address ?? '';
  const hello = (change: Partial<Hello> = {}): Hello => ({
    type: 'hello',
    token: folder.token,
    member: folder.enter(0).name,
    pid: process.pid,
    thread: 0,
    epoch: 0,
    application: 'peer',
    limit: null,
    ...change,
  });
  const enrolled = async (): Promise<Peer> => {
    const peer = new Peer(address());
    peer.say(hello(), { type: 'have', permits: [], last: true });
    await until(() => peer.heard.some(({ type }) => type === 'welcome'));
    return peer;
  };

  const manners: Readonly<Record<string, readonly [(peer: Peer) => void, RegExp]>> = {
    'a wrong token': [(peer) => peer.say(hello({ token: 'guess' })), /token is wrong/],
    'a token of the right length': [(peer) => peer.say(hello({ token: '0'.repeat(64) })), /token is wrong/],
    'a member nobody knows': [(peer) => peer.say(hello({ member: '1.0.abc' })), /not in the folder/],
    'no hello': [(peer) => peer.say({ type: 'want', request: 1, wait: 10 }), /no hello came first/],
    'a frame too long': [(peer) => peer.socket.write(Buffer.from([127, 0, 0, 0, 1])), /A frame of 2130706432 bytes/],
    'an endless line': [(peer) => peer.socket.write('x'.repeat(1_000_000)), /A frame of \d+ bytes/],
    'no JSON': [(peer) => peer.socket.write(Buffer.from([0, 0, 0, 1, 120])), /not JSON/],
    'a polluting key': [
      (peer) => {
        const body = '{"type":"beat","__proto__":{"polluted":1}}';
        peer.socket.write(Buffer.concat([Buffer.from([0, 0, 0, body.length]), Buffer.from(body)]));
      },
      /wrong or unknown field/,
    ],
    'a flood': [
      (peer) => {
        peer.say(hello(), { type: 'have', permits: [], last: true });
        const beats = Buffer.concat(Array.from({ length: 3000 }, () => encodeFrame({ type: 'beat' })));
        peer.socket.write(beats);
      },
      /too many messages/,
    ],
    'a permit that is not his': [
      (peer) =>
        peer.say(hello(), { type: 'have', permits: [{ id: '1-1' }, { id: `${(9e9).toString(36)}-1` }], last: true }),
      /never granted/,
    ],
  };
  for (const [name, [behave, reason]] of Object.entries(manners)) {
    test(`[B28] ${name}: cut, with the reason, and the others are served`, async () => {
      const good = await enrolled();
      const bad = new Peer(address());
      behave(bad);
      await bad.closed;
      assert.match(bad.denied ?? '', reason);
      good.say({ type: 'want', request: 1, wait: 5000 });
      await until(() => good.grants.length === 1);
      good.say({ type: 'closed', id: good.grants[0] ?? '', clean: true });
      good.socket.end();
      await good.closed;
    });
  }

  test('[B28] who does not read is cut', async () => {
    const good = await enrolled();
    const deaf = new Peer(address());
    deaf.socket.pause();
    deaf.say(hello(), { type: 'have', permits: [], last: true });
    await until(() => broker.lines === 2);
    let request = 0;
    const wants = setInterval(() => {
      for (let i = 0; i < 50; i += 1) deaf.say({ type: 'want', request: (request += 1), wait: 0 });
    }, 60);
    try {
      await until(() => broker.lines === 1, 20_000);
    } finally {
      clearInterval(wants);
    }
    good.say({ type: 'want', request: 1, wait: 5000 });
    await until(() => good.grants.length === 1);
    deaf.socket.destroy();
    good.socket.destroy();
  });

  test('half a frame, and then nothing: the line ends like any other', async () => {
    const half = new Peer(address());
    half.socket.write(Buffer.from([0, 0, 1]));
    half.socket.destroy();
    await half.closed;
    await until(() => broker.lines === 0);
  });

  test('a newer broker makes the older one stop', async () => {
    const next = await BrokerServer.start({
      folder: folder.path,
      openMonitor: () => openMonitor({ port: server.port }),
    });
    assert.ok(next !== undefined);
    assert.ok(next.epoch > broker.epoch);
    const peer = new Peer(address());
    peer.say(hello(), { type: 'have', permits: [], last: true });
    await until(() => peer.heard.some((message) => message.type === 'welcome' && message.epoch === next.epoch));
    await until(() => server.sessions.size === 1);
    peer.socket.destroy();
    await next.stop();
  });
});

test('however many processes start at once, one serves', async () => {
  const server = await TinyServer.start();
  const stage = new Stage();
  try {
    const plan = { port: server.port, size: 20 };
    const programs = Array.from({ length: 10 }, () => stage.start(plan));
    const done = await Promise.all(programs.map((program) => program.tell({ open: 1, timeout: 30_000 })));
    assert.equal(done.filter(({ status }) => status.text.endsWith('broker here')).length, 1);
    assert.equal([...server.sessions.values()].filter(({ name }) => name === 'monitor').length, 1);
    const [key = ''] = readdirSync(done[0]?.env ?? '');
    const files = readdirSync(join(done[0]?.env ?? '', key));
    assert.equal(files.filter((name) => name.startsWith('epoch-')).length, 1);
    assert.equal(files.filter((name) => name.startsWith('m-')).length, 10);
    assert.deepEqual(
      files.filter((name) => name.startsWith('d-') || name === 'taking'),
      [],
    );
    // And the same when it is gone.
    const host = done.findIndex(({ status }) => status.text.endsWith('broker here'));
    await programs[host]?.kill();
    const rest = programs.filter((_program, index) => index !== host);
    const after = await Promise.all(rest.map((program) => program.tell({ open: 1, timeout: 30_000 })));
    assert.equal(after.filter(({ status }) => status.text.endsWith('broker here')).length, 1);
    assert.ok(server.peak <= 20);
    // A process that ends in order takes its file with it, and the last broker its socket.
    await Promise.all(rest.map((program) => program.tell({ end: true }).catch(() => {})));
    await Promise.all(rest.map(({ exit }) => exit));
    const left = readdirSync(join(done[0]?.env ?? '', key));
    assert.deepEqual(
      left.filter((name) => /^(m-|s-)/.test(name)),
      [],
    );
  } finally {
    await stage.close();
    await server.stop();
  }
});

describe('on a real server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let stage: Stage;
  before(async () => {
    server = await startPostgres({ maxConnections: 20, settings: { log_connections: 'on', log_disconnections: 'on' } });
    stage = new Stage();
  });
  after(async () => {
    await stage.close();
    await server.stop();
  });

  interface Told {
    readonly held?: number;
    readonly failed?: string;
  }
  const children: ChildProcess[] = [];
  const start = (): ChildProcess => {
    const child = fork(new URL('./fixtures/holder.ts', import.meta.url), [], {
      env: { ...stage.env, TEST_DATABASE_URL: server.url },
    });
    children.push(child);
    return child;
  };
  const told = (child: ChildProcess): Promise<Told> => new Promise((resolve) => child.once('message', resolve));
  after(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  test('kill -9 of a holder inside pg_sleep: the permit returns only after the backend is gone', async () => {
    const since = server.log().length;
    // Budget 3: two for all of us.
    const [one, two] = [start(), start()];
    const first = told(one);
    const second = told(two);
    one.send({ sleep: 30 });
    two.send({ sleep: 30 });
    const { held: pid } = await first;
    await second;
    assert.ok(pid !== undefined);
    const three = start();
    const third = told(three);
    three.send({ sleep: 0 });
    const killed = performance.now();
    one.kill('SIGKILL');
    const { held, failed } = await third;
    assert.equal(failed, undefined);
    const waited = performance.now() - killed;
    assert.ok(waited > 200, `got it after ${waited} ms`);
    const rows = await server.query<{ pid: number }>('select pid from pg_stat_activity where pid = $1', [pid]);
    assert.deepEqual(rows, [], 'the backend of the dead one still runs');
    assert.notEqual(held, pid);
    two.kill('SIGKILL');
    three.kill('SIGKILL');
    const peak = mostAtOnce(server.log().slice(since));
    assert.ok(peak <= 3, `${peak} connections at once`);
  });
});

/** Replays the server's own log of connections made and ended. Those of the test's own queries do not count. */
function mostAtOnce(log: string): number {
  const open = new Set<string>();
  let most = 0;
  for (const line of log.split('\n')) {
    const pid = /\[(\d+)\]/.exec(line)?.[1];
    if (pid === undefined) continue;
    if (line.includes('connection authorized') && line.includes('application_name=athanor')) {
      if (!line.includes('athanor-test-admin')) open.add(pid);
    }
    if (line.includes('disconnection:')) open.delete(pid);
    most = Math.max(most, open.size);
  }
  assert.ok(most > 0, 'no connection in the log');
  return most;
}
