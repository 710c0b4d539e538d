// How an entity behaves where JavaScript itself looks at it.
/* oxlint-disable typescript/no-misused-spread, typescript/await-thenable, unicorn/no-thenable -- what these do to an entity is the subject */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { MappingError, NotLoadedError, UsageError } from '../../../../src/errors/index.ts';
import { constructOver } from '../../../../src/orm/entity/construction.ts';
import { EntityState } from '../../../../src/orm/entity/entity-state.ts';
import { entityStatus } from '../../../../src/orm/entity/entity-status.ts';
import { declarativeBase } from '../../../../src/orm/mapping/declarative-base.ts';
import type { Mapper } from '../../../../src/orm/mapping/mapper.ts';
import { many, maybe, one } from '../../../../src/orm/mapping/relation-definition.ts';
import { bigint, fk, integer, json, text, timestamptz } from '../../../../src/schema/columns.ts';
import { META } from '../../../../src/sql/phantom.ts';

class Base extends declarativeBase() {
  describe(): string {
    return this.constructor.name;
  }
}
class User extends Base.table('users', {
  id: integer().primaryKey(),
  name: text(),
  big: bigint().nullable(),
  settings: json<{ theme: string }>().nullable(),
  madeAt: timestamptz().nullable(),
  addresses: many(() => Address),
}) {
  #secret = 7;
  notes: string[] = [];
  get shout(): string {
    return `${this.name.toUpperCase()}${this.#secret}`;
  }
}
class Address extends Base.table('addresses', {
  id: integer().primaryKey(),
  street: text(),
  userId: fk(() => User.c.id).nullable(),
  user: maybe(() => User),
}) {}

/** As the session makes one from a row in wire form. */
function load<T>(entityClass: { readonly prototype: T }, row: unknown[]): T {
  const mapper = (entityClass as unknown as { readonly [META]: Mapper })[META];
  mapper.format.take(row, 0);
  const { values } = mapper.format;
  const entity = constructOver(mapper.entityClass, { values, state: new EntityState(mapper), stamp: mapper.stamp });
  mapper.restamp(entity, values);
  return entity as T;
}

describe('an entity is an ordinary object', () => {
  const when = Date.UTC(2026, 0, 2);
  const row = (): unknown[] => [1, 'ann', 5n, '{"theme":"dark"}', when];
  const plain = { id: 1, name: 'ann', big: 5n, settings: { theme: 'dark' }, madeAt: new Date(when), notes: [] };

  it('has its columns as own enumerable data properties', () => {
    const user = load(User, row());
    assert.deepEqual(Object.keys(user), ['id', 'name', 'big', 'settings', 'madeAt', 'notes']);
    assert.deepEqual(Object.getOwnPropertyDescriptor(user, 'name'), {
      value: 'ann',
      writable: true,
      enumerable: true,
      configurable: true,
    });
    assert.deepEqual(Object.getOwnPropertySymbols(user), []);
  });
  it('spreads', () => {
    assert.deepEqual({ ...load(User, row()) }, plain);
  });
  it('clones', () => {
    assert.deepEqual(structuredClone(load(User, row())), plain);
  });
  it('prints', () => {
    assert.equal(
      inspect(load(User, row())),
      `User {\n  id: 1,\n  name: 'ann',\n  big: 5n,\n  settings: { theme: 'dark' },\n  madeAt: 2026-01-02T00:00:00.000Z,\n  notes: []\n}`,
    );
  });
  it('compares', () => {
    assert.deepStrictEqual(load(User, row()), load(User, row()));
    assert.notDeepStrictEqual(load(User, row()), load(User, [1, 'bob', 5n, null, when]));
  });
  it('becomes JSON, int8 as decimal strings', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(load(User, row()))), {
      ...plain,
      big: '5',
      madeAt: '2026-01-02T00:00:00.000Z',
    });
  });
  it('nests loaded relations in JSON and cuts circles to the key', () => {
    const user = load(User, row());
    const state = new User({ name: 'bob', addresses: [new Address({ id: 9, street: 'a' })] });
    assert.deepEqual(JSON.parse(JSON.stringify(state)), {
      name: 'bob',
      notes: [],
      addresses: [{ id: 9, street: 'a', user: {} }],
    });
    assert.equal(Object.hasOwn(JSON.parse(JSON.stringify(user)), 'addresses'), false);
  });
  it('freezes JSON values that were read', () => {
    const user = load(User, row());
    assert.throws(() => {
      (user.settings as { theme: string }).theme = 'light';
    }, TypeError);
  });
  it('keeps private fields, field initialisers, getters and the methods of its base', () => {
    const user = load(User, row());
    assert.equal(user.shout, 'ANN7');
    assert.deepEqual(user.notes, []);
    assert.notEqual(user.notes, load(User, row()).notes);
    assert.equal(user.describe(), 'User');
  });
  it('has no then, so that awaiting it gives it', async () => {
    const user = load(User, row());
    assert.equal(await user, user);
  });
});

describe('the row wins over the class', () => {
  it('over field initialisers and constructors, which can read it', () => {
    class Titled extends Base.table('titled', { id: integer().primaryKey(), title: text(), slug: text().nullable() }) {
      override title = 'initialised';
      seen: string;
      constructor(init: ConstructorParameters<typeof Plain>[0]) {
        super(init as never);
        this.seen = `${this.title} ${String((init as { slug?: unknown }).slug)}`;
        this.slug = 'constructed';
      }
    }
    const titled = load(Titled, [1, 'row', 'from-row']);
    assert.deepEqual({ ...titled }, { id: 1, title: 'row', slug: 'from-row', seen: 'initialised from-row' });
  });
  it('whatever the constructor gives to super, and whatever else it constructs on the way', () => {
    class Log extends Base.table('logs', { id: integer().primaryKey(), line: text() }) {}
    class Odd extends Base.table('odd', { id: integer().primaryKey(), name: text() }) {
      log = new Log({ line: 'made' });
      constructor(...args: unknown[]) {
        super((args.length > 3 ? {} : undefined) as never);
      }
    }
    const odd = load(Odd, [3, 'three']);
    assert.deepEqual([odd.id, odd.name, odd.log.line], [3, 'three', 'made']);
  });
  it('and a constructor that cannot bear a row is named', () => {
    class Fragile extends Base.table('fragile', { id: integer().primaryKey() }) {
      constructor(name: string) {
        super({});
        name.trim();
      }
    }
    assert.throws(
      () => load(Fragile, [1]),
      (error: unknown) => error instanceof MappingError && /Fragile/.test(error.message),
    );
  });
});

describe('new', () => {
  it('takes columns and relations', () => {
    const user = new User({ name: 'ann' });
    const address = new Address({ street: 'a', user });
    assert.equal(user.name, 'ann');
    assert.equal(address.user, user);
    assert.deepEqual([...(user.addresses as unknown as Address[])], [address]);
    assert.equal(entityStatus(user), 'transient');
  });
  it('refuses what the class does not have', () => {
    for (const bad of ['nope', '__proto__', 'constructor', 'toString', 'shout']) {
      assert.throws(
        () => new User(Object.defineProperty({ name: 'a' }, bad, { value: 1, enumerable: true }) as never),
        (error: unknown) => error instanceof UsageError && error.message.includes(bad),
        bad,
      );
    }
  });
  it('refuses a field initialiser that would overwrite what was given, and only that', () => {
    class Shadow extends Base.table('shadows', {
      id: integer().primaryKey(),
      name: text(),
      rank: integer().default(1),
    }) {
      override name = 'initialised';
      later: number;
      constructor(init: { name?: string; rank?: number }) {
        super(init as never);
        const rank = 4;
        this.later = rank;
        this.rank = this.rank + 1;
      }
    }
    assert.throws(
      () => new Shadow({ name: 'given', rank: 1 }),
      (error: unknown) => error instanceof MappingError && /Shadow has a field name/.test(error.message),
    );
    const shadow = new Shadow({ rank: 2 });
    assert.deepEqual({ ...shadow }, { name: 'initialised', rank: 3, later: 4 });
  });
  it('leaves out what is undefined', () => {
    assert.equal(Object.hasOwn(new User({ name: 'a', big: undefined as never }), 'big'), false);
  });
});

describe('a column that is not there explains itself', () => {
  it('on a new entity', () => {
    assert.throws(
      () => new User({ name: 'a' }).id,
      (error: unknown) => error instanceof NotLoadedError && /flush/.test(error.message),
    );
  });
  it('and does not show in spread or print', () => {
    const user = new User({ name: 'a' });
    assert.deepEqual(Object.keys(user), ['name', 'notes']);
    assert.equal(inspect(user), `User { name: 'a', notes: [] }`);
  });
});

describe('a mapped class', () => {
  it('is the one direct child of its table', () => {
    const Table = Base.table('singles', { id: integer().primaryKey() });
    class First extends Table {}
    class Second extends Table {}
    class Grandchild extends First {}
    assert.ok(First.c.id);
    assert.throws(() => Second.c, MappingError);
    assert.throws(() => Grandchild.c, MappingError);
    assert.throws(() => new Grandchild({}), MappingError);
    assert.throws(() => Table.c, MappingError);
  });
  it('may be defined again outside production', () => {
    const again = (): unknown => class Again extends Base.table('again', { id: integer().primaryKey() }) {};
    again();
    assert.doesNotThrow(again);
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      assert.throws(again, MappingError);
    } finally {
      if (before === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = before;
    }
  });
  it('needs a key, and names that JavaScript leaves free', () => {
    assert.throws(() => Base.table('keyless', { name: text() }), MappingError);
    assert.throws(() => Base.table('thenable', { id: integer().primaryKey(), then: text() }), MappingError);
  });
  it('may have columns called name and length', () => {
    class Awkward extends Base.table('awkward', { id: integer().primaryKey(), name: text(), length: integer() }) {}
    assert.ok(Awkward.c.name);
    assert.ok(Awkward.c.length);
    assert.equal(new Awkward({ name: 'n', length: 3 }).length, 3);
  });
  it('finds out its relations on first use, and says what is missing or ambiguous', () => {
    class Trip extends Base.table('trips', {
      id: integer().primaryKey(),
      fromId: fk(() => Place.c.id),
      toId: fk(() => Place.c.id),
      place: one(() => Place),
    }) {}
    class Place extends Base.table('places', {
      id: integer().primaryKey(),
      users: many(() => User),
      trips: many(() => Trip, { by: () => User.c.id }),
    }) {}
    const relation = (entityClass: object, key: string) => () =>
      (entityClass as { readonly [META]: Mapper })[META].relation(key);
    assert.throws(relation(Trip, 'place'), /2 foreign keys lead between the two tables: fromId, toId/);
    assert.throws(relation(Place, 'users'), MappingError);
  });
});

const Plain = Base.table('plain', { id: integer().primaryKey(), title: text() });
