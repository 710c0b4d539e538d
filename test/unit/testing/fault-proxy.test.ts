import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy, FrameCutter, ProxyProcess, serverMessage } from '../../../src/testing.ts';

describe('a fault proxy', () => {
  let server: Server;
  let port = 0;
  before(async () => {
    // Says everything back.
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(() => server.close());

  async function client(proxy: { readonly port: number }): Promise<{ socket: Socket; said: () => string }> {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    let said = '';
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
    });
    await once(socket, 'connect');
    return { socket, said: () => said };
  }

  async function until(condition: () => boolean): Promise<void> {
    for (const end = performance.now() + 5_000; !condition(); ) {
      assert.ok(performance.now() < end, 'it did not come about');
      await sleep(2);
    }
  }

  const start = (): Promise<FaultProxy> => FaultProxy.start({ host: '127.0.0.1', port, framed: false });

  it('passes what it gets, in order, and ends what is ended', async () => {
    await using proxy = await start();
    const { socket, said } = await client(proxy);
    for (let i = 0; i < 100; i += 1) socket.write(`${i} `);
    const whole = Array.from({ length: 100 }, (_, i) => `${i} `).join('');
    await until(() => said() === whole);
    assert.equal(proxy.connections, 1);
    socket.end();
    await once(socket, 'close');
    await until(() => proxy.connections === 0);
  });

  it('is silent one way or both, and loses nothing of what was said meanwhile', async () => {
    await using proxy = await start();
    for (const way of ['up', 'down', undefined] as const) {
      const { socket, said } = await client(proxy);
      await proxy.order({ fault: 'silence', way });
      socket.write('hello');
      await sleep(50);
      assert.equal(said(), '');
      await proxy.order({ fault: 'pass' });
      await until(() => said() === 'hello');
      socket.destroy();
    }
  });

  it('cuts by both ends, by reset, or only the server’s end', async () => {
    await using proxy = await start();
    const fin = await client(proxy);
    await proxy.order({ fault: 'cut', how: 'fin' });
    const [failed] = (await once(fin.socket, 'close')) as [boolean];
    assert.equal(failed, false);
    const rst = await client(proxy);
    rst.socket.write('x');
    await until(() => rst.said() === 'x');
    await proxy.order({ fault: 'cut', how: 'rst' });
    const [error] = await Promise.race([
      once(rst.socket, 'error') as Promise<[NodeJS.ErrnoException]>,
      once(rst.socket, 'close').then(() => [undefined]),
    ]);
    assert.ok(error === undefined || error.code === 'ECONNRESET');
    const half = await client(proxy);
    half.socket.write('x');
    await until(() => half.said() === 'x');
    await proxy.order({ fault: 'cut', how: 'half' });
    half.socket.write('y');
    await sleep(50);
    assert.equal(half.socket.destroyed, false);
    assert.equal(half.said(), 'x');
    half.socket.destroy();
  });

  it('cuts after so many bytes, and damages exactly one', async () => {
    await using proxy = await start();
    const cut = await client(proxy);
    await proxy.order({ fault: 'cutAfter', way: 'down', bytes: 3, how: 'fin' });
    cut.socket.write('abcdef');
    await proxy.struck();
    await once(cut.socket, 'close');
    assert.equal(cut.said(), 'abc');
    await proxy.order({ fault: 'pass' });
    const damaged = await client(proxy);
    await proxy.order({ fault: 'corrupt', way: 'up', offset: 2 });
    damaged.socket.write('abcdef');
    await proxy.struck();
    await until(() => damaged.said().length === 6);
    assert.equal(damaged.said(), `ab${String.fromCharCode('c'.charCodeAt(0) ^ 0xff)}def`);
    damaged.socket.destroy();
  });

  it('is slow, or late, and refuses newcomers', async () => {
    await using proxy = await start();
    const { socket, said } = await client(proxy);
    await proxy.order({ fault: 'slow', way: 'down', bytes: 1, every: 20 });
    const begun = performance.now();
    socket.write('abcdef');
    await until(() => said() === 'abcdef');
    assert.ok(performance.now() - begun >= 95);
    await proxy.order({ fault: 'pass' });
    await proxy.order({ fault: 'delay', delay: 40, jitter: 10 });
    const late = performance.now();
    socket.write('gh');
    await until(() => said() === 'abcdefgh');
    assert.ok(performance.now() - late >= 75);
    await proxy.order({ fault: 'refuse' });
    const refused = connect(proxy.port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    await proxy.order({ fault: 'pass' });
    (await client(proxy)).socket.destroy();
    socket.destroy();
  });

  it('holds a message of a kind and all behind it, in a process of its own too', async () => {
    const opening = Buffer.from('0000000800030000', 'hex');
    let heard = '';
    const sink = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
      });
    });
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const target = { host: '127.0.0.1', port: (sink.address() as AddressInfo).port };
    for (const proxy of [await FaultProxy.start(target), await ProxyProcess.start(target)]) {
      heard = '';
      const { socket } = await client(proxy);
      await proxy.order({ fault: 'hold', way: 'up', type: 'C', text: 'COMMIT' });
      const messages = [serverMessage('C', 'INSERT'), serverMessage('C', 'COMMIT'), serverMessage('Z', 'I')];
      socket.write(Buffer.concat([opening, ...messages]));
      await proxy.struck();
      await until(() => heard.includes('INSERT'));
      assert.ok(!heard.includes('COMMIT') && !heard.includes('Z'));
      await proxy.order({ fault: 'pass' });
      await until(() => heard.includes('COMMIT') && heard.includes('Z'));
      socket.destroy();
      await proxy.close();
    }
    sink.close();
  });
});

describe('a frame cutter', () => {
  it('cuts a stream anywhere into the same messages', () => {
    const messages = [serverMessage('D', 'one'), serverMessage('D', 'two'), serverMessage('Z', Buffer.from('I'))];
    const stream = Buffer.concat(messages);
    for (let size = 1; size <= stream.length; size += 1) {
      const cutter = new FrameCutter(false);
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        found.push(...cutter.push(Buffer.from(stream.subarray(at, at + size))).map(({ bytes }) => bytes));
      }
      assert.deepEqual(found, messages);
    }
  });

  it('knows the openings of a client, questions before them included', () => {
    const question = Buffer.from('0000000804d2162f', 'hex');
    const startup = Buffer.from('000000090003000000', 'hex');
    const cutter = new FrameCutter(true);
    const types = cutter.push(Buffer.concat([question, startup, serverMessage('Q', 'x')])).map(({ type }) => type);
    assert.deepEqual(types, ['', '', 'Q']);
  });
});
