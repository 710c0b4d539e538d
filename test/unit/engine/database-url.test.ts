import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import { createEngine, createMockEngine, DatabaseUrl, makeUrl, UsageError } from '../../../src/index.ts';

describe('a database URL', () => {
  it('[F002] is taken apart and put together again, whatever stands in its parts', () => {
    const nasty = 'p@ss:w/ord?#%&=ü ';
    const url = new DatabaseUrl({
      scheme: 'postgresql',
      user: 'me@there',
      password: nasty,
      host: '::1',
      port: 5433,
      database: 'a/b c',
      query: { application_name: 'x y&z', sslmode: 'require' },
    });
    const text = url.render({ hidePassword: false });
    const again = DatabaseUrl.parse(text);
    assert.ok(again.equals(url));
    assert.deepEqual(
      [again.user, again.password, again.host, again.port, again.database, { ...again.query }],
      ['me@there', nasty, '::1', 5433, 'a/b c', { application_name: 'x y&z', sslmode: 'require' }],
    );
    for (const plain of [
      'sqlite::memory:',
      'sqlite:./data/my%20file.db?mode=ro',
      'sqlite:///var/lib/x.db',
      'embedded:./data',
      'postgresql://',
      'postgresql:///name?host=/run/sockets',
      'postgresql://a:1,b:2/db?target_session_attrs=primary',
      'postgresql://host',
      'postgresql://:secret@host/db',
    ]) {
      assert.equal(makeUrl(plain).render({ hidePassword: false }), plain);
    }
    assert.equal(makeUrl('sqlite:///var/lib/x.db').database, '/var/lib/x.db');
    assert.equal(makeUrl('POSTGRESQL://h/d').scheme, 'postgresql');
  });

  it('[F002] set() gives another one and leaves the first; options are added and taken out', () => {
    const url = makeUrl('postgresql://u:p@h:1/d?a=1&b=2');
    const other = url.set({ database: 'e', port: undefined }).updateQuery({ a: undefined, c: '3' });
    assert.equal(other.render({ hidePassword: false }), 'postgresql://u:p@h/e?b=2&c=3');
    assert.equal(url.render({ hidePassword: false }), 'postgresql://u:p@h:1/d?a=1&b=2');
    assert.ok(Object.isFrozen(url) && Object.isFrozen(url.query));
  });

  it('[F002] never shows its password, unless it is asked for, and cannot be sent', () => {
    const url = makeUrl('postgresql://u:hunter2@h/d?password=hunter2');
    for (const shown of [String(url), JSON.stringify(url), inspect(url), url.render()]) {
      assert.doesNotMatch(shown, /hunter2/);
      assert.match(shown, /u:\*\*\*@h\/d/);
    }
    assert.equal(url.password, 'hunter2');
    assert.throws(() => structuredClone(url), { code: 'ATH_NOT_TRANSFERABLE' });
    for (const wrong of [
      'no scheme',
      'postgresql://u:hunter2@h:x/d',
      'postgresql://u:hunter%2@h/d',
      'postgresql://h:99999/d',
    ]) {
      assert.throws(
        () => makeUrl(wrong),
        (error: UsageError) => error instanceof UsageError && !error.message.includes('hunter'),
      );
    }
    assert.throws(() => makeUrl('postgresql://h').set({ database: 'a\0b' }), UsageError);
    assert.throws(() => new DatabaseUrl({ scheme: 'x', user: 'u' }), UsageError);
  });

  it('an engine of a URL that is wrong, or of options nobody knows, is not made', () => {
    assert.throws(() => createEngine('oracle://h/d'), UsageError);
    assert.throws(() => createEngine('postgresql://h/d', { pol: {} } as never), UsageError);
    assert.throws(() => createMockEngine('postgresql://h/d', { wirte: () => undefined } as never), UsageError);
  });
});
