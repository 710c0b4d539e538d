// A server that breaks the protocol of cursors, COPY and what it says unasked: as with answers to statements, that
// connection ends with ProtocolError, every call on it settles, and nothing else is touched.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriverConnection } from '../../../../../src/driver/driver.ts';
import { createPostgresDriver } from '../../../../../src/dialects/postgresql/driver/index.ts';
import {
  AthanorError,
  ConnectionLostError,
  ProtocolError,
  UniqueViolationError,
} from '../../../../../src/errors/index.ts';
import {
  begun,
  described,
  errorMessage,
  int16,
  message,
  type Peer,
  READY,
  row,
  scriptedServer,
} from './scripted-server.ts';

type Work = (connection: DriverConnection) => Promise<unknown>;

const COPY_IN = message('G', Buffer.from([0]), int16(0));
const COPY_OUT = message('H', Buffer.from([0]), int16(0));
const bound = Buffer.concat([message('1'), message('2')]);
const open = Buffer.concat([message('1'), message('t', int16(0)), described(23), message('2')]);
const inTransaction = message('Z', Buffer.from('T'));
const failed = message('Z', Buffer.from('E'));
const data = (text: string): Buffer => message('d', Buffer.from(text));
const done = message('C', 'COPY 1');

/** What `work` ends with on a server that follows `script` after the login, and how the connection was lost. */
async function against(
  script: (peer: Peer) => Promise<void> | void,
  work: Work,
): Promise<{ error: unknown; lost: unknown }> {
  await using server = await scriptedServer(async (peer) => {
    await peer.login();
    await script(peer);
  });
  const driver = createPostgresDriver({ host: '127.0.0.1', port: server.port, user: 'u', sslMode: 'disable' });
  const connection = await driver.connect();
  const gone = new Promise((resolve) => {
    connection.onLost = resolve;
  });
  const error = await work(connection).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const lost = await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
  connection.destroy();
  return { error, lost };
}

/** Up to the message of this type. */
async function upTo(peer: Peer, type: string): Promise<void> {
  while ((await peer.next()).type !== type);
}

const copyIn: Work = (connection) =>
  connection.copyFrom?.('copy t from stdin', [Buffer.from('1\n')]) ?? Promise.reject(new TypeError());
const never: Work = (connection) =>
  connection.copyFrom?.('copy t from stdin', {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  }) ?? Promise.reject(new TypeError());
const copyOut: Work = (connection) =>
  connection.copyTo?.('copy t to stdout', () => {}) ?? Promise.reject(new TypeError());
const slowOut: Work = (connection) =>
  connection.copyTo?.('copy t to stdout', () => new Promise(() => {})) ?? Promise.reject(new TypeError());
const begin: Work = (connection) =>
  connection.submit([{ text: { sql: 'begin', params: [], results: undefined, prepare: false }, params: [] }], {
    row: () => {},
  });
const cursor: Work = async (connection) => {
  await begin(connection);
  const text = { sql: 'select 1', params: [], results: undefined, prepare: false };
  const opened = await connection.openCursor?.({ text, params: [] });
  return opened?.fetch(2);
};

const beginning = async (peer: Peer): Promise<void> => {
  await peer.sync();
  peer.send(message('1'), message('t', int16(0)), message('n'), message('2'), message('C', 'BEGIN'), inTransaction);
};

const DAMAGED: readonly (readonly [what: string, work: Work, upTo: string, bytes: Buffer])[] = [
  ['COPY in: data before it was asked for', copyIn, 'H', message('G', Buffer.from([0]), int16(0))],
  ['COPY in: begun twice', never, 'H', Buffer.concat([bound, COPY_IN, COPY_IN])],
  ['COPY in: completed before its end', never, 'H', Buffer.concat([bound, COPY_IN, done])],
  ['COPY in: over before its end', never, 'H', Buffer.concat([bound, COPY_IN, READY])],
  ['COPY in: data from the server', never, 'H', Buffer.concat([bound, COPY_IN, data('x')])],
  ['COPY in: a row', never, 'H', Buffer.concat([bound, COPY_IN, row('1')])],
  ['COPY in: two errors', never, 'H', Buffer.concat([bound, errorMessage('42601', 'a'), errorMessage('42601', 'b')])],
  ['COPY in: completed twice', copyIn, 'S', Buffer.concat([done, done])],
  ['COPY out: data before its beginning', copyOut, 'S', Buffer.concat([bound, data('x')])],
  ['COPY out: data behind its end', copyOut, 'S', Buffer.concat([bound, COPY_OUT, message('c'), data('x')])],
  ['COPY out: ended twice', copyOut, 'S', Buffer.concat([bound, COPY_OUT, message('c'), message('c')])],
  ['COPY out: ended before its beginning', copyOut, 'S', Buffer.concat([bound, message('c')])],
  ['COPY out: completed before its end', copyOut, 'S', Buffer.concat([bound, COPY_OUT, data('x'), done])],
  ['COPY out: over before its end', copyOut, 'S', Buffer.concat([bound, COPY_OUT, data('x'), READY])],
  [
    'COPY out: with a target that hangs, damaged behind',
    slowOut,
    'S',
    Buffer.concat([bound, COPY_OUT, data('x'), row('1')]),
  ],
  ['COPY out: a length of 0', copyOut, 'S', Buffer.concat([bound, COPY_OUT, Buffer.from([0x64, 0, 0, 0, 0])])],
];

const DAMAGED_CURSORS: readonly (readonly [what: string, opening: Buffer, page: Buffer | undefined])[] = [
  ['a row while it is opened', Buffer.concat([open, row('1')]), undefined],
  ['opened without a description', Buffer.concat([message('1'), message('2')]), undefined],
  ['suspended before it is read', Buffer.concat([open, message('s')]), undefined],
  ['more rows than were asked for', open, Buffer.concat([row('1'), row('2'), row('3')])],
  ['rows behind the end of a page', open, Buffer.concat([row('1'), message('s'), row('2')])],
  ['a page that ends twice', open, Buffer.concat([row('1'), message('s'), message('s')])],
  ['a page that is over before its end', open, Buffer.concat([row('1'), inTransaction])],
  ['a page with another number of fields', open, row('1', '2')],
  ['a page with a portal that closes itself', open, message('3')],
];

const UNASKED: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a notification without an end', message('A', 1, Buffer.from('channel'))],
  ['a notification with something behind it', message('A', 1, 'channel', 'payload', Buffer.from('x'))],
  ['a notification that is too short', message('A', 1)],
  ['a parameter without a value', message('S', 'TimeZone')],
  ['a parameter with something behind it', message('S', 'TimeZone', 'UTC', 'x')],
  ['parameters without end', Buffer.concat(Array.from({ length: 2000 }, (_, i) => message('S', `p${i}`, 'x')))],
  ['a key for cancel requests', message('K', 1, 2)],
  ['an older protocol', message('v', 0, 0)],
  ['COPY in', COPY_IN],
  ['COPY out', COPY_OUT],
  ['COPY both ways', message('W', Buffer.from([0]), int16(0))],
  ['data of a COPY', data('x')],
  ['the end of a COPY', message('c')],
  ['a suspended portal', message('s')],
  ['a closed portal', message('3')],
  ['an error', errorMessage('42601', 'a')],
];

describe('[B25] damaged streams', () => {
  for (const [what, work, type, bytes] of DAMAGED) {
    test(what, async () => {
      const script = async (peer: Peer): Promise<void> => {
        if (type === 'S' && work === copyIn) {
          await upTo(peer, 'H');
          peer.send(bound, COPY_IN);
        }
        await upTo(peer, type);
        peer.send(bytes);
      };
      const { error, lost } = await against(script, work);
      const own = what.includes('two errors') && error instanceof AthanorError;
      assert.ok(own || error instanceof ProtocolError, String(error));
      assert.ok(lost instanceof ProtocolError, String(lost));
    });
  }

  for (const [what, opening, page] of DAMAGED_CURSORS) {
    test(`a cursor: ${what}`, async () => {
      const script = async (peer: Peer): Promise<void> => {
        await beginning(peer);
        await peer.sync();
        peer.send(opening, ...(page === undefined ? [] : [inTransaction]));
        if (page === undefined) return;
        await peer.sync();
        peer.send(page);
      };
      const { error, lost } = await against(script, cursor);
      assert.ok(error instanceof ProtocolError, String(error));
      assert.ok(lost instanceof ProtocolError, String(lost));
    });
  }

  for (const [what, bytes] of UNASKED) {
    test(`unasked: ${what}`, async () => {
      const { error, lost } = await against(
        async (peer) => {
          await peer.sync();
          peer.send(begun(23), row('1'), message('C', 'SELECT 1'), READY, bytes);
        },
        async (connection) => {
          const text = { sql: 'select 1', params: [], results: undefined, prepare: false };
          await connection.submit([{ text, params: [] }], { row: () => {} });
        },
      );
      assert.equal(error, undefined, 'the answer before it is kept');
      assert.ok(lost instanceof ProtocolError, String(lost));
    });
  }
});

describe('a server that ends a stream', () => {
  test('before COPY in began: the source is not asked, one Sync is sent, the connection goes on', async () => {
    const seen: string[] = [];
    const { error, lost } = await against(
      async (peer) => {
        await upTo(peer, 'H');
        peer.send(errorMessage('23505', 'taken'));
        for (let i = 0; i < 1; i++) seen.push((await peer.next()).type);
        peer.send(READY);
        for (const frame of await peer.sync()) seen.push(frame.type);
        peer.send(begun(23), row('7'), message('C', 'SELECT 1'), READY);
      },
      async (connection) => {
        const source = {
          [Symbol.iterator]: (): never => assert.fail('the source was asked'),
        };
        await assert.rejects(
          connection.copyFrom?.('copy t from stdin', source) ?? Promise.resolve(),
          UniqueViolationError,
        );
        const text = { sql: 'select 7', params: [], results: undefined, prepare: false };
        await connection.submit([{ text, params: [] }], { row: () => {} });
      },
    );
    assert.deepEqual([error, lost], [undefined, undefined]);
    assert.deepEqual(seen, ['S', 'P', 'D', 'B', 'E', 'S']);
  });

  test('with the end of the session: every page and COPY waiting is settled', async () => {
    const { error } = await against(
      async (peer) => {
        await upTo(peer, 'H');
        peer.send(bound, COPY_IN, errorMessage('57P01', 'shutting down', 'FATAL'));
      },
      async (connection) => {
        const copies = [never(connection), copyOut(connection), copyIn(connection)];
        for (const result of await Promise.allSettled(copies)) {
          assert.equal(result.status, 'rejected');
          assert.ok((result as PromiseRejectedResult).reason instanceof ConnectionLostError);
        }
      },
    );
    assert.equal(error, undefined);
  });

  test('a failed page leaves the transaction failed, not the connection', async () => {
    const { error, lost } = await against(async (peer) => {
      await beginning(peer);
      await peer.sync();
      peer.send(open, inTransaction);
      await peer.sync();
      peer.send(row('1'), errorMessage('23505', 'taken'), failed);
    }, cursor);
    assert.ok(error instanceof UniqueViolationError);
    assert.equal(lost, undefined);
  });
});
