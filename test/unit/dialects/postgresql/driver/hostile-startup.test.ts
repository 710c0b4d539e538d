// Before a server has proved anything: what it may not ask for, and what it may not get us to do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { pbkdf2Sync, createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  AuthenticationError,
  CancelledError,
  ConnectError,
  ServerFullError,
  UsageError,
} from '../../../../../src/errors/index.ts';
import { createPostgresDriver, type PostgresOptions } from '../../../../../src/dialects/postgresql/driver/index.ts';
import { errorMessage, LOGGED_IN, message, type Peer, scriptedServer } from './scripted-server.ts';

const SECRET = 'canary-password';
const here: LookupFunction = (_name, lookupOptions, done) => {
  if (lookupOptions.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};

/** What connecting to a server that follows `script` ends with, and the bytes it was sent. */
async function attempt(
  script: (peer: Peer) => Promise<void> | void,
  extra: Partial<PostgresOptions> = {},
): Promise<{ error: unknown; received: string }> {
  const chunks: Buffer[] = [];
  await using server = await scriptedServer(async (peer) => {
    peer.socket.on('data', (bytes: Buffer) => chunks.push(bytes));
    await script(peer);
  });
  const driver = createPostgresDriver({
    host: '127.0.0.1',
    user: 'u',
    password: SECRET,
    sslMode: 'disable',
    port: server.port,
    ...extra,
  });
  const error = await driver.connect().then(
    (connection) => {
      connection.destroy();
      return undefined;
    },
    (thrown: unknown) => thrown,
  );
  assert.ok(
    !`${inspect(error, { depth: 9, showHidden: true })}${inspect(driver, { depth: 9, showHidden: true })}`.includes(
      SECRET,
    ),
  );
  return { error, received: Buffer.concat(chunks).toString('latin1') };
}

const asking =
  (code: number, rest: Buffer = Buffer.alloc(0)) =>
  async (peer: Peer): Promise<void> => {
    await peer.next();
    peer.send(message('R', code, rest));
    await peer.next();
    peer.send(LOGGED_IN);
  };

const CLEAR = asking(3);
const MD5 = asking(5, Buffer.from('salt'));
const TRUST = async (peer: Peer): Promise<void> => {
  await peer.next();
  peer.send(LOGGED_IN);
};
const mechanisms = message('R', 10, Buffer.from('SCRAM-SHA-256\0\0'));

/** Plays the server's side of SCRAM, with the weaknesses a test wants. */
const scramServer =
  ({ iterations = '4096', password = SECRET, nonce = '+server', final = true, signature = true } = {}) =>
  async (peer: Peer): Promise<void> => {
    await peer.next();
    peer.send(mechanisms);
    const first = (await peer.next()).body.toString();
    const bare = first.slice(first.indexOf('n=,'));
    const combined = `${bare.slice(bare.indexOf('r=') + 2)}${nonce}`;
    const salt = Buffer.from('salty');
    const challenge = `r=${combined},s=${salt.toString('base64')},i=${iterations}`;
    peer.send(message('R', 11, Buffer.from(challenge)));
    const answer = (await peer.next()).body.toString();
    const salted = pbkdf2Sync(password, salt, Number(iterations), 32, 'sha256');
    const authenticated = `${bare},${challenge},${answer.slice(0, answer.indexOf(',p='))}`;
    const key = createHmac('sha256', salted).update('Server Key').digest();
    const proof = createHmac('sha256', key)
      .update(signature ? authenticated : 'wrong')
      .digest('base64');
    if (final) peer.send(message('R', 12, Buffer.from(`v=${proof}`)));
    peer.send(LOGGED_IN);
  };

describe('[B21] a server that asks for less than SCRAM', () => {
  const refused = async (script: (peer: Peer) => Promise<void>, extra: Partial<PostgresOptions>): Promise<void> => {
    const { error, received } = await attempt(script, extra);
    assert.ok(error instanceof AuthenticationError, String(error));
    assert.ok(!received.includes(SECRET) && !received.includes('md5'), 'nothing of the password was sent');
  };
  for (const [what, script] of [
    ['clear text', CLEAR],
    ['md5', MD5],
    ['nothing', TRUST],
  ] as const) {
    test(`${what} on plain TCP to a public host: refused, nothing sent`, () =>
      refused(script, { host: 'db.example.com', lookup: here }));
    test(`${what} where SCRAM is required: refused, nothing sent`, () =>
      refused(script, { requireAuth: ['scram-sha-256'] }));
  }

  test("a server that answers 'N' gets no password: without a mode on a public host, and with require", async () => {
    const noTls = async (peer: Peer): Promise<void> => {
      await peer.next();
      peer.send(Buffer.from('N'));
      await CLEAR(peer);
    };
    const silent = await attempt(noTls, { host: 'db.example.com', lookup: here, sslMode: undefined });
    assert.ok(silent.error instanceof ConnectError);
    assert.match(silent.error.message, /offers no TLS/);
    assert.match(silent.error.hint ?? '', /postgresql:\/\/u@db\.example\.com:\d+\/u\?sslmode=disable/);
    const required = await attempt(noTls, { sslMode: 'require' });
    assert.ok(required.error instanceof ConnectError);
    for (const { received } of [silent, required]) assert.equal(received.length, 8, 'only the question was sent');
  });

  test('a login before SCRAM was done is refused', async () => {
    const { error } = await attempt(scramServer({ final: false }));
    assert.ok(error instanceof AuthenticationError);
    assert.match(error.message, /broke off SCRAM/);
  });

  test('on this machine clear text and md5 are accepted', async () => {
    assert.match((await attempt(CLEAR, { connectTimeout: 200 })).received, /canary-password/);
    const inner = createHash('md5').update(`${SECRET}u`).digest('hex');
    const expected = `md5${createHash('md5').update(`${inner}salt`).digest('hex')}`;
    assert.ok((await attempt(MD5, { connectTimeout: 200 })).received.includes(expected));
  });
});

describe('[B22] SCRAM with a hostile server', () => {
  test('an iteration count of 2 000 000 000 is refused at once', async () => {
    const start = performance.now();
    for (const iterations of ['2000000000', '1000001', '0', '-1', '1e3', '']) {
      const { error, received } = await attempt(scramServer({ iterations }));
      assert.ok(error instanceof AuthenticationError);
      assert.ok(!received.includes(',p='), 'no proof was given away');
    }
    assert.ok(performance.now() - start < 2000);
  });

  test('the largest accepted count does not hold up the event loop', async () => {
    let longest = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const waiting = async (peer: Peer): Promise<void> => {
      await peer.next();
      peer.send(mechanisms);
      const first = (await peer.next()).body.toString();
      peer.send(message('R', 11, Buffer.from(`r=${first.slice(first.indexOf('r=') + 2)}x,s=c2FsdA==,i=1000000`)));
      await peer.next();
      peer.socket.destroy();
    };
    await attempt(waiting);
    clearInterval(ticking);
    assert.ok(longest < 150, `${longest} ms`);
  });

  test('a wrong server signature, or a nonce that is not ours, is refused', async () => {
    for (const wrong of [{ signature: false }, { password: 'another' }, { nonce: '' }]) {
      const { error } = await attempt(scramServer(wrong));
      assert.ok(error instanceof AuthenticationError, JSON.stringify(wrong));
    }
  });
});

describe('[B24] data injected before TLS', () => {
  test("a server that leaves behind 'S' is told at once, though the certificate is still being read", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'athanor-'));
    const sslRootCert = path.join(folder, 'root.crt');
    execFileSync('mkfifo', [sslRootCert]);
    const start = performance.now();
    const { error } = await attempt(
      async ({ next, send, socket }) => {
        await next();
        send(Buffer.from('S'));
        socket.end();
        // The client has seen the end by the time it has the file.
        setTimeout(() => writeFileSync(sslRootCert, ''), 100);
      },
      { sslMode: 'verify-full', connectTimeout: 3_000, sslRootCert },
    );
    rmSync(folder, { recursive: true });
    assert.ok(error instanceof ConnectError, inspect(error));
    assert.ok(performance.now() - start < 2_500, 'it waited for the deadline');
  });

  test("anything behind 'S' is refused", async () => {
    const injecting = async (peer: Peer): Promise<void> => {
      await peer.next();
      peer.send(Buffer.from('S'), LOGGED_IN);
      await new Promise<void>((resolve) => peer.socket.once('close', () => resolve()));
    };
    for (const sslMode of ['require', 'verify-full', undefined] as const) {
      const { error, received } = await attempt(injecting, { sslMode });
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /before TLS began/);
      assert.equal(received.length, 8);
    }
  });
});

describe('[B14] NUL in a string of the startup message', () => {
  const smuggled = 'x\0options\0-c search_path=evil';
  for (const field of ['user', 'database', 'applicationName'] as const) {
    test(`${field} is refused before anything is sent`, async () => {
      let reached = false;
      await using server = await scriptedServer(() => {
        reached = true;
      });
      const build = () => createPostgresDriver({ host: '127.0.0.1', port: server.port, user: 'u', [field]: smuggled });
      assert.throws(build, (error) => error instanceof UsageError && error.message.startsWith(field));
      assert.equal(reached, false);
    });
  }
  test('options (settings) and the application name of one connection are refused too', async () => {
    assert.throws(() => createPostgresDriver({ user: 'u', settings: { 'a\0b': 'c' } }), UsageError);
    assert.throws(() => createPostgresDriver({ user: 'u', settings: { search_path: smuggled } }), UsageError);
    await assert.rejects(createPostgresDriver({ user: 'u' }).connect({ applicationName: smuggled }), UsageError);
  });
});

describe('a startup that does not come to an end', () => {
  test('a server that says nothing, or half of it, meets the deadline', async () => {
    const silent: readonly ((peer: Peer) => Promise<void> | void)[] = [
      () => {},
      async (peer) => {
        await peer.next();
        peer.send(message('R', 0));
      },
      async (peer) => {
        await peer.next();
        peer.send(LOGGED_IN);
      },
    ];
    for (const script of silent) {
      const start = performance.now();
      const { error } = await attempt(script, { connectTimeout: 150 });
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /within 150 ms/);
      assert.ok(performance.now() - start < 400);
    }
  });

  test('a password that never comes meets the deadline, a signal ends it', async () => {
    const { error } = await attempt(CLEAR, { connectTimeout: 100, password: () => new Promise<string>(() => {}) });
    assert.ok(error instanceof ConnectError);
    await using server = await scriptedServer(() => {});
    const driver = createPostgresDriver({ host: '127.0.0.1', port: server.port, user: 'u' });
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 20);
    await assert.rejects(
      driver.connect({ signal: stop.signal }),
      (thrown) => thrown instanceof CancelledError && thrown.cause === reason,
    );
    await assert.rejects(driver.connect({ signal: stop.signal }), CancelledError);
  });

  test('a server that closes, refuses, is full or is none', async () => {
    /** Answers the first message with `bytes`. */
    const answering =
      (...bytes: readonly Buffer[]) =>
      async (peer: Peer): Promise<void> => {
        await peer.next();
        peer.send(...bytes);
      };
    const cases: readonly (readonly [(peer: Peer) => Promise<void> | void, new (message: string) => Error])[] = [
      [(peer) => void peer.socket.destroy(), ConnectError],
      [(peer) => void peer.socket.resetAndDestroy(), ConnectError],
      [answering(errorMessage('53300', 'sorry, too many clients already', 'FATAL')), ServerFullError],
      [answering(errorMessage('28P01', 'password authentication failed', 'FATAL')), AuthenticationError],
      [answering(errorMessage('57P03', 'the database system is starting up', 'FATAL')), ConnectError],
      [answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), ConnectError],
      [answering(message('R', 7)), AuthenticationError],
      [answering(...Array.from({ length: 400 }, () => message('1'))), ConnectError],
    ];
    for (const [script, kind] of cases) {
      const { error } = await attempt(script);
      assert.ok(error instanceof kind, String(error));
    }
  });
});
