// What can go wrong before there is a connection: servers that do not answer, names that lead nowhere or change, and
// TLS that breaks off or is damaged.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ConnectError, ConnectionLostError, TimeoutError } from '../../src/errors/index.ts';
import { serveScript } from '../../src/testing.ts';
import { faultLaboratory } from './harness.ts';

const fault = faultLaboratory({ tls: 'offered' });

const at = (port: number): string => `postgresql://nobody:none@127.0.0.1:${port}/none?sslmode=disable`;

fault('[T24] a server that accepts and says nothing meets the connect deadline', async (lab) => {
  await using server = await serveScript((peer) => peer.gone);
  const engine = lab.engine({ url: at(server.port), pool: { connectTimeout: 500 } });
  const error = await lab.within(500, 'connect deadline', () => lab.fails(engine.connect()));
  assert.ok(error instanceof ConnectError && error.cause instanceof TimeoutError, String(error));
  await engine.close();
});

fault('[T24] a server whose queue of new connections is full meets the connect deadline', async (lab) => {
  const program = fileURLToPath(new URL('./programs/never-accepts.ts', import.meta.url));
  const child = fork(program, [], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  try {
    for (let queued = true; queued; ) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      assert.ok(sockets.length < 50, 'the queue never fills');
      queued = await Promise.race([
        once(socket, 'connect').then(() => true),
        new Promise<boolean>((resolve) => {
          setTimeout(() => resolve(false), 150);
        }),
      ]);
    }
    const engine = lab.engine({ url: at(port), pool: { connectTimeout: 500 } });
    const error = await lab.within(500, 'connect deadline', () => lab.fails(engine.connect()));
    assert.ok(error instanceof ConnectError && error.cause instanceof TimeoutError, String(error));
    await engine.close();
  } finally {
    for (const socket of sockets) socket.destroy();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
});

fault('[T18] silence after the server agreed to TLS meets the connect deadline', async (lab) => {
  await using server = await serveScript(async (peer) => {
    await peer.next();
    peer.send(Buffer.from('S'));
    await peer.gone;
  });
  const url = at(server.port).replace('disable', 'require');
  const engine = lab.engine({ url, pool: { connectTimeout: 500 } });
  const error = await lab.within(500, 'TLS hello deadline', () => lab.fails(engine.connect()));
  assert.ok(error instanceof ConnectError && error.cause instanceof TimeoutError, String(error));
  await engine.close();
});

fault('[T57] a name with a dead address first, and a name that changes', async (lab) => {
  const addresses = [
    // Of the block for documentation: nobody answers there, or the network says so at once.
    { address: '192.0.2.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  let answers: readonly { readonly address: string; readonly family: number }[] = addresses;
  let asked = 0;
  const lookup: LookupFunction = (_host, options, callback) => {
    asked += 1;
    if (options.all === true) callback(null, [...answers]);
    else callback(null, answers[0]?.address ?? '', 4);
  };
  const url = new URL(lab.server.url);
  url.search = '?sslmode=disable';
  const engine = lab.engine({ driver: { host: 'db.example', sslMode: 'disable', lookup } });
  await lab.within(2000, 'connect past a dead address', () => lab.ledger.write(engine));
  // The name leads elsewhere now, and whoever connects anew asks for it anew.
  const before = asked;
  answers = [{ address: '127.0.0.1', family: 4 }];
  await engine.dispose();
  await lab.within(2000, 'connect by a name that changed', () => lab.ledger.write(engine));
  assert.ok(asked > before);
  assert.equal(lab.ledger.acked, 2);
});

const BIG = "select repeat('secret', 100) as filler from generate_series(1, 20000)";

for (const [how, order] of [
  ['cut in the middle of a record', { fault: 'cutAfter', way: 'down', bytes: 200_001, how: 'rst' }],
  ['closed without its own goodbye', { fault: 'cutAfter', way: 'down', bytes: 200_001, how: 'fin' }],
  ['damaged in the middle', { fault: 'corrupt', way: 'down', offset: 200_001 }],
] as const) {
  fault(`[T23] TLS ${how}: a typed error, and nothing of the broken record`, async (lab) => {
    const proxy = await lab.proxy({ framed: false });
    const engine = lab.engine({ proxy });
    const connection = await engine.connect();
    assert.deepEqual(await connection.raw('select ssl from pg_stat_ssl where pid = pg_backend_pid()').all(), [
      { ssl: true },
    ]);
    await proxy.order(order);
    const seen: unknown[] = [];
    const text = { sql: BIG, params: [], results: undefined, prepare: false };
    const read = (): Promise<void> =>
      connection.driverConnection.submit([{ text, params: [] }], { row: (_statement, [filler]) => seen.push(filler) });
    const error = await lab.within(3_000, 'until the failure is told', () => lab.fails(read()));
    await lab.struck(proxy);
    assert.ok(error instanceof ConnectionLostError, String(error));
    assert.ok(seen.length > 0 && seen.length < 20_000 && seen.every((one) => one === 'secret'.repeat(100)));
    await connection.close();
  });
}

fault('[T23] TLS that begins with garbage is a failure to connect', async (lab) => {
  const proxy = await lab.proxy({ framed: false });
  // Behind the one byte that agrees to TLS.
  await proxy.order({ fault: 'corrupt', way: 'down', offset: 1 });
  const error = await lab.within(2_000, 'until the failure is told', () => lab.fails(lab.engine({ proxy }).connect()));
  assert.ok(error instanceof ConnectError, String(error));
});
