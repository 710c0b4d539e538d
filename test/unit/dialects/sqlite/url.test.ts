import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseSqliteUrl } from '../../../../src/dialects/sqlite/url.ts';
import { UsageError } from '../../../../src/errors/index.ts';

test('three slashes begin an absolute path, a dot a relative one, and :memory: is no file', () => {
  assert.equal(parseSqliteUrl('sqlite:///var/data/app.db').path, '/var/data/app.db');
  assert.equal(parseSqliteUrl('sqlite:./data/app.db').path, resolve('data/app.db'));
  assert.equal(parseSqliteUrl('sqlite:app.db').path, resolve('app.db'));
  assert.deepEqual(parseSqliteUrl('sqlite::memory:'), {
    path: ':memory:',
    memory: true,
    readOnly: false,
    busyTimeout: 5000,
  });
});

test('percent signs are decoded, drive letters keep no leading slash', () => {
  assert.equal(parseSqliteUrl('sqlite:///a%20b/%3Fc.db').path, '/a b/?c.db');
  assert.equal(parseSqliteUrl('sqlite:///C:/data/app.db').path, resolve('C:/data/app.db'));
});

test('options are read and unknown ones refused', () => {
  const location = parseSqliteUrl('sqlite:///a.db?mode=ro&busyTimeout=250');
  assert.equal(location.readOnly, true);
  assert.equal(location.busyTimeout, 250);
  for (const query of ['mode=rw', 'timeout=5', 'busyTimeout=-1', 'busyTimeout=1e3', 'mode']) {
    assert.throws(() => parseSqliteUrl(`sqlite:///a.db?${query}`), UsageError, query);
  }
});

test('whatever is not one of the forms is refused', () => {
  const wrong = [
    'sqlite:',
    'sqlite://',
    'sqlite://host/a.db',
    'sqlite:///',
    'sqlite:///dir/',
    'postgresql://h/d',
    'a.db',
  ];
  for (const url of [...wrong, 'sqlite:///a%zz', 'sqlite:///a%00b', `sqlite:///${'a'.repeat(9000)}`]) {
    assert.throws(() => parseSqliteUrl(url), UsageError, url);
  }
});
