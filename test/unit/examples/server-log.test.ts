import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLog } from '../../../examples/founding/stage/connection-log.ts';
import { LogCheck } from '../../../examples/founding/stage/log-check.ts';
import { parseLogLine } from '../../../examples/founding/stage/server-log.ts';

let clock = 0;
/** A line as the server writes it with LOG_SETTINGS. */
function written(
  pid: number,
  message: string,
  who: { user?: string; application?: string; level?: string } = {},
): string {
  const stamp = new Date(Date.UTC(2026, 10, 22, 23, 0, 0, clock++))
    .toISOString()
    .replace('T', ' ')
    .replace('Z', ' UTC');
  return `${stamp} [${pid}] <${who.user ?? ''}> <${who.application ?? ''}> ${who.level ?? 'LOG'}:  ${message}`;
}

const received = (pid: number): string =>
  written(pid, 'connection received: host=127.0.0.1 port=44208', { user: '[unknown]', application: '[unknown]' });
const authorized = (pid: number, user = 'founding'): string =>
  written(pid, `connection authorized: user=${user} database=postgres SSL enabled (protocol=TLSv1.3, bits=256)`, {
    user,
  });
const ended = (pid: number, user = 'founding'): string =>
  written(pid, `disconnection: session time: 0:00:00.100 user=${user} database=postgres host=127.0.0.1 port=44208`, {
    user,
  });

function replay(...lines: string[]): ReturnType<ConnectionLog['replay']> {
  const log = new ConnectionLog('founding');
  for (const line of lines) {
    const entry = parseLogLine(line);
    assert.ok(entry !== undefined, line);
    log.read(entry);
  }
  return log.replay();
}

test('a line of the log is taken apart', () => {
  assert.deepEqual(parseLogLine('2026-11-22 23:00:01.017 UTC [4711] <founding> <app/12/7> FATAL:  a: b'), {
    time: Date.UTC(2026, 10, 22, 23, 0, 1, 17),
    pid: 4711,
    user: 'founding',
    application: 'app/12/7',
    level: 'FATAL',
    message: 'a: b',
  });
  assert.equal(parseLogLine('\tand more of it'), undefined);
  assert.equal(parseLogLine(''), undefined);
});

test('connections are counted from the moment the server accepts them to the moment it has ended them', () => {
  assert.deepEqual(replay(received(1), authorized(1), ended(1)), { connections: 1, peak: 1, open: 0 });
  assert.deepEqual(replay(received(1), received(2), authorized(1), ended(1), authorized(2), ended(2)), {
    connections: 2,
    peak: 2,
    open: 0,
  });
  assert.deepEqual(replay(received(1), authorized(1), ended(1), received(2), authorized(2)), {
    connections: 2,
    peak: 1,
    open: 1,
  });
});

test('other roles and connections that never got in are not counted, and a process number may come again', () => {
  assert.deepEqual(replay(received(1), authorized(1, 'observer'), received(2), ended(1, 'observer')), {
    connections: 0,
    peak: 0,
    open: 0,
  });
  assert.deepEqual(replay(received(1), authorized(1), ended(1), received(1), authorized(1), ended(1)), {
    connections: 2,
    peak: 1,
    open: 0,
  });
});

test('a peak that lasts less than a millisecond is seen', () => {
  const lines = [received(1), authorized(1), received(2), authorized(2), ended(1), ended(2)];
  const at = /^\S+ \S+/.exec(lines[0] ?? '')?.[0] ?? '';
  assert.equal(replay(...lines.map((line) => line.replace(/^\S+ \S+/, at))).peak, 2);
});

const healthy = [
  written(1, 'starting PostgreSQL 18.4 on x86_64-linux, compiled by gcc'),
  written(1, 'listening on IPv4 address "127.0.0.1", port 5432'),
  written(9, 'database system was shut down at 2026-11-22 22:00:00 UTC'),
  written(1, 'database system is ready to accept connections'),
  received(20),
  authorized(20),
  ended(20),
];

function findings(lines: readonly string[], ofKilled?: (pid: number) => boolean): string[] {
  const check = new LogCheck({ ofKilled: (entry) => ofKilled?.(entry.pid) ?? false });
  for (const line of lines) check.read(line);
  return check.findings;
}

test('a healthy log has no findings', () => {
  assert.deepEqual(findings(healthy), []);
});

test('each line of the founding failure is found, whatever its level', () => {
  for (const line of [
    written(20, 'SSL error: decryption failed or bad record mac', { user: 'founding' }),
    written(20, 'could not receive data from client: Connection reset by peer', { user: 'founding' }),
    written(20, 'unexpected EOF on client connection with an open transaction', { user: 'founding' }),
    written(20, 'there is no transaction in progress', { user: 'founding', level: 'WARNING' }),
    written(20, 'there is already a transaction in progress', { user: 'founding', level: 'WARNING' }),
    written(20, 'sorry, too many clients already', { user: 'founding', level: 'FATAL' }),
    written(20, 'could not receive data from client: Connection timed out', { user: 'founding' }),
    written(20, 'incomplete startup packet'),
    written(20, 'server process (PID 77) was terminated by signal 9: Killed'),
    written(20, 'deadlock detected', { user: 'founding', level: 'ERROR' }),
    'postgres: could not find a "postgres" to execute',
  ]) {
    assert.deepEqual(findings([...healthy.slice(0, 5), line, ...healthy.slice(5)]), [line]);
  }
});

test('what the server says of a killed client is allowed to that client alone', () => {
  const lines = [
    written(20, 'unexpected EOF on client connection with an open transaction', { user: 'founding' }),
    written(20, 'could not receive data from client: Connection reset by peer', { user: 'founding' }),
    written(20, 'connection to client lost', { user: 'founding', level: 'FATAL' }),
    written(20, 'select pg_sleep(60)', { user: 'founding', level: 'STATEMENT' }),
  ];
  assert.deepEqual(
    findings(lines, (pid) => pid === 20),
    [],
  );
  assert.equal(findings(lines, (pid) => pid === 21).length, 3);
  const mac = written(20, 'SSL error: decryption failed or bad record mac', { user: 'founding' });
  assert.deepEqual(
    findings([mac], () => true),
    [mac],
  );
});
