// A server that breaks the protocol, by malice or by damage: the connection it is on ends with ProtocolError, and
// nothing else is touched. Nothing hangs, nothing grows, nothing is thrown past the caller.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { DriverConnection, Scalar } from '../../../../../src/driver/driver.ts';
import { AthanorError, ConnectionLostError, ProgrammingError, ProtocolError } from '../../../../../src/errors/index.ts';
import { createPostgresDriver } from '../../../../../src/dialects/postgresql/driver/index.ts';
import {
  begun,
  described,
  errorMessage,
  int16,
  message,
  READY,
  row,
  scriptedServer,
  type Peer,
} from './scripted-server.ts';

const options = { host: '127.0.0.1', user: 'u', sslMode: 'disable' } as const;

/** Logs in and answers every statement with `answer`. */
async function against<T>(
  answer: (peer: Peer) => void | Promise<void>,
  work: (connection: DriverConnection) => Promise<T>,
  extra: object = {},
): Promise<T> {
  await using server = await scriptedServer(async (peer) => {
    await peer.login();
    for (;;) {
      await peer.sync();
      await answer(peer);
    }
  });
  const connection = await createPostgresDriver({ ...options, port: server.port, ...extra }).connect();
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

async function select(connection: DriverConnection, rows: Scalar[][] = []): Promise<Scalar[][]> {
  const text = { sql: 'select 1', params: [], results: undefined, prepare: false };
  await connection.submit([{ text, params: [] }], { row: (_statement, values) => void rows.push(values) });
  return rows;
}

const HUGE = Buffer.alloc(5);
HUGE.write('D');
HUGE.writeInt32BE(2 ** 31 - 1, 1);

const header = (type: string, length: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32BE(length, 1);
  return bytes;
};

const DAMAGED: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a length of 0', header('D', 0)],
  ['a length of 3', header('1', 3)],
  ['a negative length', header('D', -5)],
  ['a length of 2 GiB', HUGE],
  ['an unknown type', message('!', 'x')],
  ['an unknown type with a long length', header('\u0001', 60_000_000)],
  ['a row before its description', Buffer.concat([message('1'), row('1')])],
  [
    'a row that nobody asked for after the answer',
    Buffer.concat([begun(23), row('1'), message('C', 'SELECT 1'), READY, row('2')]),
  ],
  ['65535 fields announced', Buffer.concat([message('1'), message('t', int16(0)), message('T', int16(65535))])],
  ['a row of 65535 fields', Buffer.concat([begun(23), message('D', int16(65535))])],
  ['a row of too few fields', Buffer.concat([begun(23, 23), row('1')])],
  ['a row of too many fields', Buffer.concat([begun(23), row('1', '2')])],
  ['a field past its message', Buffer.concat([begun(23), message('D', int16(1), 1000, Buffer.from('1'))])],
  ['a field of negative length', Buffer.concat([begun(23), message('D', int16(1), -2)])],
  ['a row without a count', Buffer.concat([begun(23), message('D')])],
  ['a row with something behind its fields', Buffer.concat([begun(23), message('D', int16(1), -1, Buffer.from('xx'))])],
  ['a boolean that is none', Buffer.concat([begun(16), row('x')])],
  [
    'a column name without an end',
    Buffer.concat([message('1'), message('t', int16(0)), message('T', int16(1), Buffer.from('c'.repeat(30)))]),
  ],
  ['parameter types of the wrong size', Buffer.concat([message('1'), message('t', int16(3))])],
  ['a tag without an end', Buffer.concat([begun(23), message('C', Buffer.from('SELECT 1'))])],
  ['a bound statement that was not parsed', message('2')],
  ['a completed statement that did not run', Buffer.concat([message('1'), message('C', 'SELECT 1')])],
  ['a description twice', Buffer.concat([message('1'), message('t', int16(0)), described(23), described(23)])],
  ['the end before the answer', Buffer.concat([message('1'), READY])],
  ['a second end', Buffer.concat([begun(23), message('C', 'SELECT 0'), READY, READY])],
  ['an error before an unknown type', Buffer.concat([errorMessage('42601', 'a'), message('!')])],
  ['two errors', Buffer.concat([errorMessage('42601', 'a'), errorMessage('42601', 'b')])],
  ['a statement closed that nobody closed', message('3')],
  [
    'a status that does not exist',
    Buffer.concat([begun(23), message('C', 'SELECT 0'), message('Z', Buffer.from('x'))]),
  ],
  ['a status that cannot be', Buffer.concat([begun(23), message('C', 'SELECT 0'), message('Z', Buffer.from('T'))])],
  ['an end without a status', Buffer.concat([begun(23), message('C', 'SELECT 0'), message('Z')])],
  ['an authentication in the middle', message('R', 3)],
  ['an error whose text does not end', message('E', Buffer.from('SERROR'))],
];

describe('[B25] a damaged answer', () => {
  for (const [what, bytes] of DAMAGED) {
    test(`${what} ends the connection and nothing else`, async () => {
      const lost: Error[] = [];
      await against(
        (peer) => peer.send(bytes),
        async (connection) => {
          const gone = new Promise<void>((resolve) => {
            connection.onLost = (error) => {
              lost.push(error);
              resolve();
            };
          });
          const outcome = await select(connection).then(
            () => undefined,
            (error: unknown) => error,
          );
          await gone;
          // A batch that had its own error already keeps it.
          const own = what.includes('error') && outcome instanceof ProgrammingError;
          assert.ok(outcome === undefined || own || outcome instanceof ProtocolError, String(outcome));
          assert.equal(connection.status, 'closed');
          await assert.rejects(select(connection), { outcome: 'not-sent' });
          assert.equal(lost.length, 1);
          assert.ok(lost[0] instanceof ProtocolError);
        },
      );
    });
  }

  test('the same, cut into single bytes', async () => {
    for (const [, bytes] of DAMAGED.slice(0, 12)) {
      await against(
        async (peer) => {
          for (const byte of bytes) {
            peer.send(Buffer.from([byte]));
            await new Promise(setImmediate);
          }
        },
        async (connection) => {
          const gone = new Promise((resolve) => {
            connection.onLost = resolve;
          });
          await select(connection).catch(() => {});
          assert.ok((await gone) instanceof ProtocolError);
        },
      );
    }
  });

  test('a large message is bounded, and memory is taken only for what arrives', async () => {
    const before = process.memoryUsage().rss;
    await against(
      (peer) => peer.send(begun(25), header('D', 60 * 1024 * 1024), Buffer.alloc(1024)),
      async (connection) => {
        const waiting = select(connection).catch((error: unknown) => error);
        await new Promise((resolve) => setTimeout(resolve, 100));
        assert.ok(process.memoryUsage().rss - before < 40 * 1024 * 1024);
        connection.destroy();
        assert.ok((await waiting) instanceof ConnectionLostError);
      },
    );
    await against(
      (peer) => peer.send(begun(25), header('D', 5000), Buffer.alloc(5000)),
      (connection) => assert.rejects(select(connection), ProtocolError),
      { maxMessageSize: 4096 },
    );
  });

  test('a healthy neighbour goes on', async () => {
    await using healthy = await scriptedServer(async (peer) => {
      await peer.login();
      for (;;) {
        await peer.sync();
        peer.send(begun(23), row('7'), message('C', 'SELECT 1'), READY);
      }
    });
    const neighbour = await createPostgresDriver({ ...options, port: healthy.port }).connect();
    for (const [, bytes] of DAMAGED) {
      const [, rows] = await Promise.all([
        against(
          (peer) => peer.send(bytes),
          (connection) => select(connection).catch(() => []),
        ),
        select(neighbour),
      ]);
      assert.deepEqual(rows, [[7]]);
    }
    await neighbour.close();
  });

  test('mutated recordings never get past the caller', async () => {
    const recording = Buffer.concat([
      begun(23, 25, 16, 17, 1184),
      row('1', 'text', 't', '\\x00ff', '2024-01-01 00:00:00+00'),
      message('N', Buffer.from('SNOTICE\0\0')),
      message('C', 'SELECT 1'),
      READY,
    ]);
    const mutation = fc.record({
      at: fc.nat(recording.length - 1),
      to: fc.nat(255),
      cut: fc.option(fc.nat(recording.length), { freq: 4 }),
    });
    let current = recording;
    await using server = await scriptedServer(async (peer) => {
      await peer.login();
      await peer.sync();
      peer.send(current);
      peer.socket.end();
    });
    const driver = createPostgresDriver({ ...options, port: server.port });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        current = Buffer.from(recording);
        for (const { at, to } of mutations) current[at] = to;
        const { cut } = mutations[0] as { cut: number | null };
        if (cut !== null) current = current.subarray(0, cut);
        const connection = await driver.connect();
        await select(connection).catch((error: unknown) => assert.ok(error instanceof AthanorError, String(error)));
        connection.destroy();
      }),
      { numRuns: 400 },
    );
  });
});

describe('messages at odd moments', () => {
  test('an error that ends the session after a completed statement is the loss, not the statement', async () => {
    await against(
      (peer) =>
        peer.send(
          begun(23),
          row('1'),
          message('C', 'SELECT 1'),
          READY,
          errorMessage('57P01', 'shutting down', 'FATAL'),
        ),
      async (connection) => {
        const gone = new Promise((resolve) => {
          connection.onLost = resolve;
        });
        assert.deepEqual(await select(connection), [[1]]);
        assert.equal(((await gone) as { sqlState?: string }).sqlState, '57P01');
        await assert.rejects(select(connection), {
          code: 'ATH_CONNECTION_LOST',
          outcome: 'not-sent',
          sqlState: '57P01',
        });
      },
    );
  });

  test('a flood of notices is read past', async () => {
    const notice = message('N', Buffer.from('SNOTICE\0VNOTICE\0C00000\0Mhello\0\0'));
    const flood = Buffer.concat(Array.from({ length: 50_000 }, () => notice));
    let heard = 0;
    await against(
      (peer) => peer.send(begun(23), flood, row('1'), message('C', 'SELECT 1'), READY),
      async (connection) => {
        connection.onNotice = ({ severity, message: text }) => {
          assert.deepEqual([severity, text], ['NOTICE', 'hello']);
          heard += 1;
          throw new Error('a listener that fails');
        };
        assert.deepEqual(await select(connection), [[1]]);
        assert.equal(heard, 50_000);
      },
    );
  });

  test('a sink that throws fails its own batch and the connection', async () => {
    const mine = new Error('mine');
    await against(
      (peer) => peer.send(begun(23), row('1'), message('C', 'SELECT 1'), READY),
      async (connection) => {
        const text = { sql: 'select 1', params: [], results: undefined, prepare: false };
        const failing = connection.submit([{ text, params: [] }], {
          row: () => {
            throw mine;
          },
        });
        const behind = select(connection);
        await assert.rejects(failing, mine);
        await assert.rejects(behind, ConnectionLostError);
        assert.equal(connection.status, 'closed');
      },
    );
  });
});
