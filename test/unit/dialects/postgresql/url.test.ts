// URLs as libpq reads them, and the hostile ones that must be refused quickly and without being quoted.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { UsageError } from '../../../../src/errors/index.ts';
import type { PostgresOptions } from '../../../../src/dialects/postgresql/driver/index.ts';
import { canonicalAddress, parsePostgresUrl, redactPostgresUrl } from '../../../../src/dialects/postgresql/url.ts';

/** What was read, without what was left out, the password in clear. */
function read(url: string, environment: Record<string, string> = {}): Record<string, unknown> {
  const options = parsePostgresUrl(url, environment);
  const { password } = options;
  const clear = typeof password === 'function' ? { ...options, password: password() } : options;
  return Object.fromEntries(Object.entries(clear).filter(([, value]) => value !== undefined));
}

describe('parsePostgresUrl', () => {
  test('reads every part', () => {
    assert.deepEqual(
      read(
        'postgresql://me:p%40ss%2Fw%3Ard@db.example.com:6543/my%20db?sslmode=verify-full&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem' +
          '&application_name=app&connect_timeout=3&channel_binding=require&require_auth=scram-sha-256,md5&options=-c%20search_path%3Da%5C%20b%20--statement-timeout%3D5s',
      ),
      {
        host: 'db.example.com',
        port: 6543,
        user: 'me',
        password: 'p@ss/w:rd',
        database: 'my db',
        sslMode: 'verify-full',
        sslRootCert: '/ca.pem',
        sslCert: '/c.pem',
        sslKey: '/k.pem',
        applicationName: 'app',
        connectTimeout: 3000,
        channelBinding: 'require',
        requireAuth: ['scram-sha-256', 'md5'],
        settings: { search_path: 'a b', statement_timeout: '5s' },
      },
    );
  });

  test('falls back to the environment, then to the defaults', () => {
    const environment = {
      PGHOST: '/run/pg',
      PGPORT: '5433',
      PGUSER: 'env',
      PGPASSWORD: 'pw',
      PGDATABASE: 'db',
      PGSSLMODE: 'disable',
      PGSSLROOTCERT: 'system',
      PGAPPNAME: 'a',
      PGCONNECT_TIMEOUT: '2',
    };
    assert.deepEqual(read('postgres://', environment), {
      host: '/run/pg',
      port: 5433,
      user: 'env',
      password: 'pw',
      database: 'db',
      sslMode: 'disable',
      sslRootCert: 'system',
      applicationName: 'a',
      connectTimeout: 2000,
    });
    assert.deepEqual(read('postgresql://own@here/mine?application_name=b', environment)['applicationName'], 'b');
    const { username } = userInfo();
    assert.deepEqual(read('POSTGRES://'), { host: 'localhost', port: 5432, user: username, database: username });
  });

  test('reads Unix sockets and IPv6 hosts', () => {
    assert.equal(read('postgresql://u@%2Frun%2Fpg/db')['host'], '/run/pg');
    assert.equal(read('postgresql://u@/db?host=/run/pg&port=6000')['host'], '/run/pg');
    assert.deepEqual(
      [read('postgresql://u@[::1]:6000/db')['host'], read('postgresql://u@[::1]:6000/db')['port']],
      ['::1', 6000],
    );
  });

  test('reads several hosts as libpq does', () => {
    const places = (url: string, environment: Record<string, string> = {}): unknown =>
      (read(url, environment)['hosts'] as { host: string; port: number; address?: string }[]).map(
        ({ host, port, address }) => `${host} ${port}${address === undefined ? '' : ` ${address}`}`,
      );
    assert.deepEqual(places('postgresql://u@a:1,b,[::1]:3/db'), ['a 1', 'b 5432', '::1 3']);
    assert.deepEqual(places('postgresql://u@a,b:6000/db'), ['a 5432', 'b 6000']);
    assert.deepEqual(places('postgresql://u@/db?host=a,%2Frun%2Fpg&port=6000'), ['a 6000', '/run/pg 6000']);
    assert.deepEqual(places('postgresql://u@a,b/db?hostaddr=10.0.0.1,'), ['a 5432 10.0.0.1', 'b 5432']);
    assert.deepEqual(places('postgresql://u@/db?hostaddr=10.0.0.1,::1'), ['10.0.0.1 5432 10.0.0.1', '::1 5432 ::1']);
    assert.deepEqual(places('postgresql://', { PGHOST: 'a,b', PGPORT: '1,2', PGUSER: 'u' }), ['a 1', 'b 2']);
    const one = read('postgresql://u@a:1/db');
    assert.deepEqual([one['hosts'], one['host'], one['port']], [undefined, 'a', 1]);
  });

  test('reads what libpq reads beside the place, with the environment behind it', () => {
    const query =
      'target_session_attrs=read-write&load_balance_hosts=random&sslnegotiation=direct&passfile=/p&keepalives_idle=10' +
      '&keepalives_interval=5&keepalives_count=3&require_auth=!password,!md5,!gss&fallback_application_name=f' +
      '&gssencmode=disable&client_encoding=utf-8&pooler=transaction';
    const wanted = {
      host: 'h',
      port: 5432,
      user: 'u',
      database: 'db',
      targetSessionAttrs: 'read-write',
      loadBalanceHosts: 'random',
      sslNegotiation: 'direct',
      passFile: '/p',
    };
    assert.deepEqual(read(`postgresql://u@h/db?${query}`), {
      ...wanted,
      keepAlive: { idle: 10_000, interval: 5000, count: 3 },
      requireAuth: ['scram-sha-256', 'none'],
      applicationName: 'f',
      pooler: 'transaction',
    });
    const environment = {
      PGTARGETSESSIONATTRS: 'read-write',
      PGLOADBALANCEHOSTS: 'random',
      PGSSLNEGOTIATION: 'direct',
      PGPASSFILE: '/p',
      PGHOSTADDR: '10.0.0.1',
      PGCLIENTENCODING: 'auto',
      PGGSSENCMODE: 'prefer',
    };
    assert.deepEqual(read('postgresql://u@h/db', environment), { ...wanted, address: '10.0.0.1' });
    assert.equal(read('postgresql://u@h/db?keepalives=0&keepalives_idle=3')['keepAlive'], false);
    assert.equal(read('postgresql://u@h/db?application_name=a&fallback_application_name=f')['applicationName'], 'a');
    assert.throws(() => parsePostgresUrl('postgresql://u@h/db', { PGSERVICE: 'mine' }), /PGSERVICE.*service files/);
  });

  test('refuses what it does not know, by name and without the password', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['mysql://u:CANARY@h/db', /postgresql:\/\//],
      ['', /postgresql:\/\//],
      ['postgresql://u:CANARY@h:port/db', /port/],
      ['postgresql://u:CANARY@h:99999/db', /port/],
      ['postgresql://u:CANARY/x@h/db', /port/],
      ['postgresql://u:CANARY@h/db?sslmod=require', /'sslmod'/],
      ['postgresql://u:CANARY@h/db?__proto__=x', /'__proto__'/],
      ['postgresql://u:CANARY@h/db?sslmode=on', /sslmode/],
      ['postgresql://u:CANARY@h/db?connect_timeout=0', /connect_timeout/],
      ['postgresql://u:CANARY@h/db?connect_timeout=x', /connect_timeout/],
      ['postgresql://u:CANARY@a:1,b:2,c/db?port=1,2', /2 ports for 3 hosts/],
      ['postgresql://u:CANARY@a,b/db?hostaddr=::1', /1 hostaddr for 2 hosts/],
      ['postgresql://u:CANARY@a:x,b/db', /port/],
      ['postgresql://u:CANARY@h/db?service=mine', /'service'.*service files/],
      ['postgresql://u:CANARY@h/db?sslcrl=x', /'sslcrl'.*revocation/],
      ['postgresql://u:CANARY@h/db?tcp_user_timeout=1', /'tcp_user_timeout'/],
      ['postgresql://u:CANARY@h/db?target_session_attrs=master', /target_session_attrs/],
      ['postgresql://u:CANARY@h/db?load_balance_hosts=yes', /load_balance_hosts/],
      ['postgresql://u:CANARY@h/db?sslnegotiation=tls', /sslnegotiation/],
      ['postgresql://u:CANARY@h/db?require_auth=md5,!password', /not both/],
      ['postgresql://u:CANARY@h/db?require_auth=gss', /require_auth/],
      ['postgresql://u:CANARY@h/db?keepalives=yes', /keepalives/],
      ['postgresql://u:CANARY@h/db?keepalives_idle=-1', /keepalives_idle/],
      ['postgresql://u:CANARY@h/db?gssencmode=require', /gssencmode/],
      ['postgresql://u:CANARY@h/db?client_encoding=LATIN1', /client_encoding/],
      ['postgresql://u:CANARY@h/db?pooler=statement', /pooler/],
      ['postgresql://u:CANARY%@h/db', /password/],
      ['postgresql://u:CANARY%00@h/db', /NUL/],
      ['postgresql://u%00x:CANARY@h/db', /user/],
      ['postgresql://u:CANARY@h/d%00b', /database/],
      ['postgresql://u:CANARY@h/db?application_name=%00', /application_name/],
      ['postgresql://u:CANARY@[::1/db', /\[/],
      ['postgresql://u:CANARY@h/db?options=CANARY', /options/],
      ['postgresql://u:CANARY@h/db?options=-c%20CANARY', /options/],
    ];
    for (const [url, text] of wrong) {
      assert.throws(
        () => parsePostgresUrl(url, {}),
        (error) => {
          assert.ok(error instanceof UsageError, url);
          assert.match(error.message, text);
          assert.ok(!`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`.includes('CANARY'), url);
          return true;
        },
      );
    }
  });

  test('keeps the password out of every print', () => {
    const options = parsePostgresUrl('postgresql://u:CANARY@h/db?password=CANARY', { PGPASSWORD: 'CANARY' });
    assert.ok(!`${inspect(options, { depth: 9, showHidden: true })}${JSON.stringify(options)}`.includes('CANARY'));
  });

  test('[B26] hostile URLs are read or refused in linear time, and none is too long to refuse', () => {
    const hostile = [
      '@'.repeat(200_000),
      Array.from({ length: 50_000 }, () => 'h').join(','),
      '%20'.repeat(100_000),
      `h?${'a=b&'.repeat(100_000)}`,
      '%'.repeat(8000),
      `h?${'&'.repeat(8000)}`,
      ':'.repeat(8000),
      '['.repeat(8000),
      `u@h/db?options=${'%20-c'.repeat(1500)}`,
      `u@h/db?options=${'%5C'.repeat(2000)}`,
    ];
    const timeOf = (rest: string): number => {
      const start = process.cpuUsage();
      for (const work of [
        () => parsePostgresUrl(`postgresql://${rest}`, {}),
        () => redactPostgresUrl(`postgresql://${rest}`),
      ]) {
        try {
          work();
        } catch (error) {
          assert.ok(error instanceof UsageError);
        }
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    // The fastest of five, in milliseconds of this process alone: a busy machine delays some.
    for (const rest of hostile) {
      const fastest = Math.min(...[1, 2, 3, 4, 5].map(() => timeOf(rest)));
      assert.ok(fastest < 60, `${rest.slice(0, 20)} took ${fastest}`);
    }
    assert.throws(() => parsePostgresUrl(`postgresql://h/${'x'.repeat(8192)}`, {}), /longer than 8192/);
    const part = fc.string({
      unit: fc.constantFrom('@', ':', '/', '?', '&', '=', '%', '[', ']', 'a', '2', '0', '\0', ',', 'é'),
    });
    fc.assert(
      fc.property(part, (rest) => {
        redactPostgresUrl(`postgresql://${rest}`);
        try {
          parsePostgresUrl(`postgresql://${rest}`, {});
        } catch (error) {
          assert.ok(error instanceof UsageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('redactPostgresUrl hides the password wherever it stands', () => {
  assert.equal(
    redactPostgresUrl('postgresql://u:pw@h:1/db?sslmode=disable'),
    'postgresql://u:***@h:1/db?sslmode=disable',
  );
  assert.equal(redactPostgresUrl('postgresql://u@h/db'), 'postgresql://u@h/db');
  assert.equal(redactPostgresUrl('postgresql://h:5432/db'), 'postgresql://h:5432/db');
  assert.equal(redactPostgresUrl('postgresql://u:a:b@c@h/db'), 'postgresql://u:***@h/db');
  assert.equal(redactPostgresUrl('postgresql://h/db?password=pw&port=1'), 'postgresql://h/db?password=***&port=1');
  assert.equal(redactPostgresUrl('postgresql://h/db?p%61ssword=pw'), 'postgresql://h/db?password=***');
  for (const text of ['', 'nonsense', '?', '@', '://']) assert.equal(redactPostgresUrl(text), text);
});

test('canonicalAddress is one for every spelling of a server', (context) => {
  const of = (options: Partial<PostgresOptions>): string => canonicalAddress({ user: 'u', ...options });
  for (const host of [undefined, 'localhost', 'LOCALHOST', '127.0.0.1', '::1', '127.0.0.53'])
    assert.equal(of({ host }), 'localhost:5432');
  assert.equal(of({ host: 'DB.Example.com.', port: 6000 }), 'db.example.com:6000');
  const several = [{ host: 'B', port: 2 }, { host: 'a' }, { host: 'b', port: 2 }];
  assert.equal(of({ hosts: several }), 'a:5432,b:2');
  assert.equal(of({ hosts: several.toReversed() }), 'a:5432,b:2');
  const folder = mkdtempSync(join(tmpdir(), 'ath-url-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const link = join(folder, 'link');
  symlinkSync(folder, link);
  assert.equal(of({ host: link }), of({ host: folder }));
  assert.equal(of({ host: folder }), `${realpathSync(folder)}/.s.PGSQL.5432`);
  assert.equal(of({ host: '/nowhere/at/all' }), '/nowhere/at/all/.s.PGSQL.5432');
});
