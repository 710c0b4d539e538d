// Results and data too large to hold, and what the server says unasked: cursors, COPY both ways, notifications, parameters.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { DriverConnection } from '../../src/driver/driver.ts';
import {
  CancelledError,
  ConnectionLostError,
  DataError,
  ProgrammingError,
  StateError,
  UniqueViolationError,
  UsageError,
} from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { chosenWay } from '../ways.ts';
import { one, open, run, statement } from './postgresql-driver-kit.ts';

type Streaming = DriverConnection &
  Required<Pick<DriverConnection, 'openCursor' | 'copyFrom' | 'copyTo' | 'parameters'>>;

let server: TestServer;
let secured: TestServer;
let connection: Streaming;
const streaming = async (url: string): Promise<Streaming> => (await open(url)) as Streaming;
before(async () => {
  [server, secured] = await Promise.all([startPostgres(), startPostgres({ tls: true })]);
});
after(() => Promise.all([server.stop(), secured.stop()]));
beforeEach(async (context) => {
  connection = await streaming(server.url);
  (context as { after?: (fn: () => unknown) => void }).after?.(() => connection.close());
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held, garbage left out, in this process. */
function held(): number {
  // Twice: the second waits for what the first gave to the background.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The most the held memory grows by while `work` runs and samples it. */
async function growth(work: (sample: () => void) => Promise<void>): Promise<number> {
  const start = held();
  let most = 0;
  await work(() => {
    most = Math.max(most, held() - start);
  });
  return most;
}

/** A way to the server whose client side can be cut. */
async function proxied(): Promise<{ connection: Streaming; cut: () => void }> {
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    const up = connectTcp(server.port, '127.0.0.1');
    sockets.push(socket, up);
    for (const one of [socket, up]) one.on('error', () => {});
    socket.pipe(up).pipe(socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(server.url);
  url.port = String((proxy.address() as AddressInfo).port);
  const opened = await streaming(url.href);
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
    proxy.close();
  };
  return { connection: opened, cut };
}

describe('a cursor', () => {
  const numbers = (to: number, prepare = true) =>
    statement('select i, i::text from generate_series(1, $1::int4) i', [to], prepare);

  test('gives its rows in parts, with other statements in between', async () => {
    for (const prepare of [true, true, false]) {
      await run(connection, 'begin');
      const cursor = await connection.openCursor(numbers(7, prepare));
      assert.deepEqual(
        cursor.fields.map(({ name }) => name),
        ['i', 'i'],
      );
      assert.deepEqual(await cursor.fetch(3), {
        rows: [
          [1, '1'],
          [2, '2'],
          [3, '3'],
        ],
        done: false,
      });
      assert.equal(await one(connection, 'select 42'), 42);
      const other = await connection.openCursor(numbers(2, prepare));
      const [more, first, rest] = await Promise.all([cursor.fetch(3), other.fetch(9), cursor.fetch(9)]);
      assert.deepEqual(
        more.rows.map(([i]) => i),
        [4, 5, 6],
      );
      assert.deepEqual([first.rows.length, first.done], [2, true]);
      assert.deepEqual(rest, { rows: [[7, '7']], done: true });
      assert.deepEqual(await cursor.fetch(1), { rows: [], done: true });
      await Promise.all([cursor.close(), cursor.close(), other.close()]);
      await assert.rejects(cursor.fetch(1), StateError);
      assert.equal(connection.status, 'transaction');
      await run(connection, 'commit');
    }
  });

  test('that is closed is forgotten by the server', async () => {
    await run(connection, 'begin');
    const cursor = await connection.openCursor(numbers(100));
    await cursor.fetch(1);
    const portals = `select count(*)::int4 from pg_cursors where name like 'athc%'`;
    assert.equal(await one(connection, portals), 1);
    await cursor.close();
    assert.equal(await one(connection, portals), 0);
    await run(connection, 'rollback');
  });

  test('needs a transaction, rows, one set, and a whole number', async () => {
    await assert.rejects(connection.openCursor(numbers(3)), StateError);
    assert.equal(connection.status, 'idle');
    await run(connection, 'begin');
    await assert.rejects(connection.openCursor(statement('create table never_made (id int4)')), UsageError);
    await assert.rejects(connection.openCursor({ ...numbers(1), sets: [[1], [2]] }), UsageError);
    await assert.rejects(connection.openCursor(statement(`select '\0'`)), UsageError);
    const cursor = await connection.openCursor(numbers(3));
    for (const count of [0, -1, 1.5, 2 ** 31, Number.NaN]) await assert.rejects(cursor.fetch(count), UsageError);
    assert.equal(connection.status, 'transaction');
    await run(connection, 'rollback');
    assert.equal(await one(connection, `select to_regclass('never_made')::text`), null);
  });

  test('ends with its transaction, and does not fail the next one', async () => {
    await run(connection, 'begin');
    const cursor = await connection.openCursor(numbers(5));
    await cursor.fetch(1);
    await connection.submit([statement('commit'), statement('begin')], { row: () => {} });
    await assert.rejects(cursor.fetch(1), StateError);
    await cursor.close();
    assert.equal(connection.status, 'transaction');
    await run(connection, 'rollback');
  });

  test('that fails in the middle fails its page and the transaction, and the connection goes on', async () => {
    await run(connection, 'begin');
    const failing = statement('select 10 / (3 - i) from generate_series(1, 5) i', []);
    const cursor = await connection.openCursor(failing);
    assert.deepEqual((await cursor.fetch(2)).rows, [[5], [10]]);
    await assert.rejects(cursor.fetch(2), DataError);
    assert.equal(connection.status, 'failed');
    await cursor.close();
    await run(connection, 'rollback');
    assert.equal(await one(connection, 'select 1'), 1);
  });

  const unnamed = chosenWay.driver === 'pg' ? 'its cursors parse their statement each time' : false;
  test('over a statement whose table changed is an error once, and the statement is parsed anew', {
    skip: unnamed,
  }, async () => {
    await copyTable('changing');
    const read = statement('select * from changing');
    await run(connection, 'begin');
    await (await connection.openCursor(read)).close();
    await run(connection, 'commit');
    await run(connection, 'alter table changing add column w int4', [], { prepare: false });
    await run(connection, 'begin');
    await assert.rejects(connection.openCursor(read), { sqlState: '0A000', code: 'ATH_PROGRAMMING' });
    await run(connection, 'rollback');
    await run(connection, 'begin');
    const cursor = await connection.openCursor(read);
    assert.deepEqual(
      cursor.fields.map(({ name }) => name),
      ['id', 'v', 'w'],
    );
    await run(connection, 'rollback');
  });

  test('is cancelled by its signal', async () => {
    await run(connection, 'begin');
    const cursor = await connection.openCursor(statement('select pg_sleep(10)::text'));
    const stop = new AbortController();
    const page = cursor.fetch(1, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await assert.rejects(page, CancelledError);
    await run(connection, 'rollback');
    await assert.rejects(connection.openCursor(numbers(1), { signal: stop.signal }), { outcome: 'not-sent' });
  });

  test('settles all of its pages when the connection goes', async () => {
    const way = await proxied();
    await run(way.connection, 'begin');
    const cursor = await way.connection.openCursor(statement('select pg_sleep(10)::text'));
    const pages = [cursor.fetch(1), cursor.fetch(1)];
    way.cut();
    for (const page of await Promise.allSettled(pages)) {
      assert.equal(page.status, 'rejected');
      assert.ok((page as PromiseRejectedResult).reason instanceof ConnectionLostError);
    }
    await cursor.close();
    await assert.rejects(cursor.fetch(1), StateError);
  });

  test('of a million rows keeps memory flat', async () => {
    await run(connection, 'begin');
    const wide = statement(`select i, repeat('x', 100) from generate_series(1, 1000000) i`);
    const cursor = await connection.openCursor(wide);
    let rows = 0;
    const grown = await growth(async (sample) => {
      for (;;) {
        const page = await cursor.fetch(5000);
        rows += page.rows.length;
        if (rows % 100_000 === 0) sample();
        if (page.done) return;
      }
    });
    assert.equal(rows, 1_000_000);
    assert.ok(grown < 16 * MIB, `grew by ${Math.round(grown / MIB)} MiB`);
    await run(connection, 'commit');
  });
});

async function copyTable(name: string): Promise<void> {
  await run(connection, `drop table if exists ${name}`, [], { prepare: false });
  await run(connection, `create table ${name} (id int4 primary key, v text)`, [], { prepare: false });
}

describe('COPY in', () => {
  test('takes chunks of any shape from any source, and counts the rows', async () => {
    await copyTable('copied');
    const sql = 'copy copied from stdin';
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (const part of ['1\to', 'ne\n2', '\ttwo\n', '', '3\tthree\n']) {
        await turn();
        yield bytes(part);
      }
    }
    assert.deepEqual(await connection.copyFrom(sql, slowly()), { command: 'COPY', count: 3 });
    assert.deepEqual(await connection.copyFrom(sql, [bytes('4\tfour\n')]), { command: 'COPY', count: 1 });
    assert.deepEqual(await connection.copyFrom(sql, []), { command: 'COPY', count: 0 });
    // One buffer for every chunk: it is read before the next is asked for.
    const reused = Buffer.from('5\tfive\n');
    const source = function* (): Generator<Uint8Array> {
      yield reused;
      reused.write('6\tsixx');
      yield reused;
      reused.fill(0);
    };
    assert.deepEqual(await connection.copyFrom(sql, source()), { command: 'COPY', count: 2 });
    assert.deepEqual((await run(connection, 'select id, v from copied order by id')).rows, [
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
      [5, 'five'],
      [6, 'sixx'],
    ]);
  });

  test('keeps what is submitted meanwhile waiting, and is part of its transaction', async () => {
    await copyTable('waiting');
    const order: string[] = [];
    await run(connection, 'begin');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes('1\ta\n');
      await turn();
      order.push('source');
      yield bytes('2\tb\n');
    };
    const copy = connection.copyFrom('copy waiting from stdin', source()).then(() => order.push('copy'));
    const behind = one(connection, 'select count(*)::int4 from waiting').then((count) =>
      order.push(`count ${String(count)}`),
    );
    await Promise.all([copy, behind]);
    assert.deepEqual(order, ['source', 'copy', 'count 2']);
    await run(connection, 'rollback');
    assert.equal(await one(connection, 'select count(*)::int4 from waiting'), 0);
  });

  test('that the source breaks off is undone and rejects with its error', async () => {
    await copyTable('broken');
    const mine = new Error('mine');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000, 'x');
      throw mine;
    };
    await assert.rejects(connection.copyFrom('copy broken (v) from stdin', source()), mine);
    await assert.rejects(connection.copyFrom('copy broken from stdin', ['text'] as never), UsageError);
    await assert.rejects(connection.copyFrom('copy broken from stdin', 5 as never), UsageError);
    assert.deepEqual([connection.status, await one(connection, 'select count(*)::int4 from broken')], ['idle', 0]);
  });

  test('that the server refuses ends the source, early or late', async () => {
    await copyTable('refusing');
    let given = 0;
    let cleaned = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given += 1;
          yield bytes('1\tsame\n'.repeat(2000));
        }
      } finally {
        cleaned += 1;
      }
    };
    await assert.rejects(connection.copyFrom('copy refusing from stdin', endless()), UniqueViolationError);
    assert.ok(given > 0 && cleaned === 1);
    await assert.rejects(connection.copyFrom('copy nowhere from stdin', endless()), ProgrammingError);
    await assert.rejects(connection.copyFrom('copy refusing from stdin', [bytes('no number\tx\n')]), DataError);
    // A source that never goes on must not keep the refusal back.
    const stuck = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          given++ < 1e9 && cleaned === 1
            ? ((cleaned = 2), Promise.resolve({ done: false as const, value: bytes('7\ta\n'.repeat(100_000)) }))
            : new Promise<never>(() => {}),
      }),
    };
    await assert.rejects(connection.copyFrom('copy refusing from stdin', stuck), UniqueViolationError);
    assert.equal(await one(connection, 'select count(*)::int4 from refusing'), 0);
  });

  test('is stopped by its signal, with data flowing and while it waits for a lock', async () => {
    await copyTable('aborted');
    const stop = new AbortController();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; ; i++) {
        if (i === 3) stop.abort(new Error('enough'));
        yield bytes(`${i}\tx\n`);
        await turn();
      }
    };
    const copy = connection.copyFrom('copy aborted from stdin', source(), { signal: stop.signal });
    await assert.rejects(
      copy,
      (error) => error instanceof CancelledError && (error.cause as Error).message === 'enough',
    );
    assert.deepEqual([connection.status, await one(connection, 'select count(*)::int4 from aborted')], ['idle', 0]);

    const holder = await streaming(server.url);
    await run(holder, 'begin');
    await run(holder, 'lock table aborted', [], { prepare: false });
    const late = new AbortController();
    const blocked = connection.copyFrom('copy aborted from stdin', [bytes('1\ta\n')], { signal: late.signal });
    late.abort();
    await assert.rejects(blocked, CancelledError);
    await holder.close();
    assert.equal(await one(connection, 'select count(*)::int4 from aborted'), 0);
  });

  test('of what is no COPY FROM STDIN is refused before it is sent', async () => {
    for (const sql of ['select 1', 'copy t to stdout', `copy t from '/etc/passwd'`, '-- copy t from stdin\nselect 1'])
      await assert.rejects(connection.copyFrom(sql, []), UsageError);
    assert.equal(connection.status, 'idle');
  });

  test('is settled when the connection goes: unknown outside a transaction, failed inside', async () => {
    await copyTable('lost');
    for (const [open, outcome] of [
      [false, 'unknown'],
      [true, 'failed'],
    ] as const) {
      const way = await proxied();
      if (open) await run(way.connection, 'begin');
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes('1\ta\n'.repeat(1));
        way.cut();
        await new Promise(() => {});
      };
      await assert.rejects(
        way.connection.copyFrom('copy lost from stdin', source()),
        (error) => error instanceof ConnectionLostError && error.outcome === outcome,
      );
    }
  });

  test('of a million rows runs at the pace of the server with flat memory, plain and in TLS', async () => {
    for (const [at, thousands] of [
      [server, 1000],
      [secured, 300],
    ] as const) {
      const loading = await streaming(at.url);
      await run(loading, 'create unlogged table if not exists million (id int4, v text)', [], { prepare: false });
      const source = function* (): Generator<Uint8Array> {
        for (let i = 0; i < thousands; i++) {
          let chunk = '';
          for (let j = 0; j < 1000; j++) chunk += `${i * 1000 + j}\t${'x'.repeat(60)}\n`;
          yield Buffer.from(chunk);
        }
      };
      const grown = await growth(async (sample) => {
        let chunks = 0;
        const sampled = function* (): Generator<Uint8Array> {
          for (const chunk of source()) {
            if (++chunks % 200 === 0) sample();
            yield chunk;
          }
        };
        assert.equal((await loading.copyFrom('copy million from stdin', sampled())).count, thousands * 1000);
      });
      assert.ok(grown < 16 * MIB, `grew by ${Math.round(grown / MIB)} MiB`);
      assert.equal(await one(loading, 'select count(distinct id)::int4 from million'), thousands * 1000);
      await loading.close();
    }
  });
});

describe('COPY out', () => {
  test('gives all data in order, to a target that may wait', async () => {
    for (const slow of [false, true]) {
      let text = '';
      const completion = await connection.copyTo(
        'copy (select i from generate_series(1, 50000) i) to stdout',
        slow
          ? async (chunk) => {
              await turn();
              text += Buffer.from(chunk).toString();
            }
          : (chunk) => {
              text += Buffer.from(chunk).toString();
            },
      );
      assert.deepEqual(completion, { command: 'COPY', count: 50_000 });
      assert.equal(text, Array.from({ length: 50_000 }, (_, i) => `${i + 1}\n`).join(''));
    }
    assert.deepEqual(await connection.copyTo('copy (select 1 where false) to stdout', () => assert.fail()), {
      command: 'COPY',
      count: 0,
    });
  });

  test('with a slow target nothing more is read: memory stays flat, plain and in TLS', async () => {
    for (const [at, rows, bytesOfAll] of [
      [server, 1_000_000, 107_888_896],
      [secured, 300_000, 32_288_895],
    ] as const) {
      const reading = await streaming(at.url);
      let received = 0;
      let running = 0;
      const grown = await growth(async (sample) => {
        let chunks = 0;
        await reading.copyTo(
          `copy (select i, repeat('x', 100) from generate_series(1, ${rows}) i) to stdout`,
          async (chunk) => {
            running += 1;
            assert.equal(running, 1, 'one chunk at a time');
            received += chunk.length;
            if (++chunks % 500 === 0) sample();
            // Long enough for all of it to arrive, if it were read.
            if (chunks === 1) await sleep(700);
            if (chunks === 1) sample();
            await turn();
            running -= 1;
          },
        );
      });
      assert.equal(received, bytesOfAll);
      assert.ok(grown < 16 * MIB, `grew by ${Math.round(grown / MIB)} MiB`);
      await reading.close();
    }
  });

  test('that the target refuses rejects with its error, and the connection goes on', async () => {
    const mine = new Error('mine');
    const endless = `copy (select repeat('x', 1000), generate_series(1, 100000000)) to stdout`;
    const targets = [
      () => {
        throw mine;
      },
      async () => {
        await turn();
        throw mine;
      },
    ];
    for (const target of targets) {
      await assert.rejects(connection.copyTo(endless, target), mine);
      assert.deepEqual([connection.status, await one(connection, 'select 1')], ['idle', 1]);
    }
    // The last chunk too, when the server is already done.
    await assert.rejects(connection.copyTo('copy (select 1) to stdout', targets[1] as () => Promise<void>), mine);
    assert.equal(await one(connection, 'select 1'), 1);
  });

  test('is stopped by its signal, also while its target hangs', async () => {
    const endless = `copy (select repeat('x', 1000), generate_series(1, 100000000)) to stdout`;
    for (const hangs of [false, true]) {
      const stop = new AbortController();
      const copy = connection.copyTo(
        endless,
        () => {
          if (hangs) setTimeout(() => stop.abort(), 50);
          else stop.abort();
          return hangs ? new Promise(() => {}) : undefined;
        },
        { signal: stop.signal },
      );
      await assert.rejects(copy, CancelledError);
      assert.equal(await one(connection, 'select 1'), 1);
    }
  });

  test('that fails in the middle is the error, and what is behind it runs', async () => {
    let received = 0;
    const copy = connection.copyTo(
      'copy (select 10 / (100000 - i) from generate_series(1, 200000) i) to stdout',
      (chunk) => {
        received += chunk.length;
      },
    );
    const behind = one(connection, 'select 7');
    await assert.rejects(copy, DataError);
    assert.ok(received > 0);
    assert.equal(await behind, 7);
    for (const sql of ['select 1', 'copy t from stdin', `copy t to '/tmp/x'`])
      await assert.rejects(
        connection.copyTo(sql, () => {}),
        UsageError,
      );
  });

  test('whose target hangs does not keep a lost connection', async () => {
    const way = await proxied();
    const copy = way.connection.copyTo('copy (select i from generate_series(1, 1000) i) to stdout', () => {
      way.connection.destroy();
      return new Promise(() => {});
    });
    await assert.rejects(copy, ConnectionLostError);
    way.cut();
  });
});

describe('what the server says unasked', () => {
  test('notifications come while idle, inside a batch, and a failing listener harms nobody', async () => {
    const heard: unknown[] = [];
    assert.ok('onNotification' in connection);
    const three = new Promise<void>((resolve) => {
      connection.onNotification = (notification) => {
        heard.push(notification);
        if (heard.length === 3) resolve();
        throw new Error('a listener that fails');
      };
    });
    await run(connection, 'listen news');
    const other = await streaming(server.url);
    await run(other, `select pg_notify('news', 'first')`);
    await connection.submit([statement(`notify news, 'own'`), statement('select 1')], { row: () => {} });
    await run(other, `select pg_notify('news', 'schöne Grüße')`);
    await three;
    const { pid } = other.identity;
    assert.deepEqual(heard, [
      { channel: 'news', payload: 'first', pid },
      { channel: 'news', payload: 'own', pid: connection.identity.pid },
      { channel: 'news', payload: 'schöne Grüße', pid },
    ]);
    assert.equal(await one(connection, 'select 1'), 1);
    await other.close();
  });

  test('parameters are there from the start and follow the session', async () => {
    const { parameters } = connection;
    assert.equal(parameters.get('client_encoding'), 'UTF8');
    assert.match(parameters.get('server_version') ?? '', /^18/);
    assert.equal(parameters.get('in_hot_standby'), 'off');
    await run(connection, `set timezone to 'Pacific/Apia'`);
    assert.equal(parameters.get('TimeZone'), 'Pacific/Apia');
    await run(connection, 'begin');
    await run(connection, `set local timezone to 'UTC'`);
    assert.equal(parameters.get('TimeZone'), 'UTC');
    await run(connection, 'rollback');
    assert.equal(parameters.get('TimeZone'), 'Pacific/Apia');
  });
});
