/* oxlint-disable typescript/no-misused-spread -- an entity spreads to its columns, and that is tested */
// The session against each database: what it writes, what it reads, and what is in memory afterwards.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  CancelledError,
  ConcurrentUseError,
  FlushError,
  NoResultError,
  NotLoadedError,
  NotTransferableError,
  PendingRollbackError,
  StaleDataError,
  StateError,
  UniqueViolationError,
  UsageError,
} from '../../src/errors/index.ts';
import {
  assign,
  declarativeBase,
  entityStatus,
  many,
  maybe,
  one,
  type Session,
  type SessionMaker,
  sessionmaker,
} from '../../src/orm/index.ts';
import { bigint, bytea, double, fk, integer, json, text, timestamptz } from '../../src/schema/columns.ts';
import { func } from '../../src/sql/functions.ts';
import { sql } from '../../src/sql/raw.ts';
import { select } from '../../src/sql/statements/select.ts';
import { update } from '../../src/sql/statements/update.ts';
import { databases, type Watched } from './orm-kit.ts';

class Base extends declarativeBase() {}
class Item extends Base.table('items', {
  id: integer().primaryKey(),
  name: text().unique(),
  note: text().nullable(),
  mood: text().nullable().default('fine'),
  count: integer().default(0),
  rank: integer().default(() => 7),
  big: bigint().default(9_007_199_254_740_993n),
  ratio: double().default(0.1),
  data: json<{ a: number; b?: string }>().nullable(),
  bytes: bytea().nullable(),
  madeAt: timestamptz().default(func.now()),
  changedAt: timestamptz().default(func.now()).onUpdate(func.now()),
}) {}
class Versioned extends Base.table('versioned', {
  id: integer().primaryKey(),
  value: integer(),
  version: integer().version(),
}) {}
class Pair extends Base.table('pairs', {
  left: integer().primaryKey(),
  right: text().primaryKey(),
  value: integer(),
}) {}
class Owner extends Base.table('owners', { id: integer().primaryKey(), name: text(), pets: many(() => Pet) }) {}
class Pet extends Base.table('pets', {
  id: integer().primaryKey(),
  name: text(),
  ownerId: fk(() => Owner.c.id).nullable(),
  owner: maybe(() => Owner),
}) {}
class Counter extends Base.table('counters', { id: integer().primaryKey(), value: integer() }) {}
class Empty extends Base.table('empties', {
  id: integer().primaryKey(),
  owner: one(() => Owner),
  ownerId: fk(() => Owner.c.id).nullable(),
}) {}

for (const [name, open] of Object.entries(databases)) {
  describe(`sessions on ${name}`, () => {
    let bind: Watched;
    let Session: SessionMaker;
    const made: Session[] = [];
    const session = (): Session => {
      const one = Session();
      made.push(one);
      return one;
    };

    /** Reads in a session of its own, and ends it: SQLite has one transaction at a time. */
    const peek = <T>(read: (session: Session) => Promise<T>): Promise<T> => Session.begin(read);

    before(async () => {
      bind = await open();
      Session = sessionmaker({ bind });
    });
    after(() => bind.stop());
    beforeEach(async () => {
      for (const one of made.splice(0)) await one.close();
      await Base.metadata.dropAll(bind);
      await Base.metadata.createAll(bind);
      bind.sent();
    });

    it('adds, reads, changes and deletes [F186]', async () => {
      const first = session();
      const item = new Item({ name: 'a', data: { a: 1 } });
      first.add(item);
      assert.equal(entityStatus(item), 'pending');
      await first.commit();
      assert.equal(entityStatus(item), 'persistent');
      assert.deepEqual(
        [item.id, item.name, item.note, item.count, item.rank, item.big, item.ratio, item.data, item.bytes],
        [1, 'a', null, 0, 7, 9_007_199_254_740_993n, 0.1, { a: 1 }, null],
      );
      assert.ok(item.madeAt instanceof Date);

      const second = session();
      const same = await second.getOne(Item, 1);
      assert.notEqual(same, item);
      assert.deepStrictEqual({ ...same }, { ...item });
      assert.deepEqual(await second.scalars(select(Item)).all(), [same]);
      assert.deepEqual(await second.execute(select(Item.c.name, Item)).all(), [{ name: 'a', items: same }]);
      assert.deepEqual(await second.execute(select(Item.c.name, Item)).tuples(), [['a', same]]);
      second.addAll([new Item({ name: 'b' }), new Item({ name: 'c' })]);
      same.note = 'changed';
      await second.commit();
      assert.deepEqual(await second.execute(select(Item.c.name, Item.c.note).orderBy(Item.c.name)), [
        { name: 'a', note: 'changed' },
        { name: 'b', note: null },
        { name: 'c', note: null },
      ]);
      second.delete(same);
      await second.commit();
      assert.equal(await second.get(Item, 1), null);
      await assert.rejects(second.getOne(Item, 1), NoResultError);
      assert.equal(entityStatus(same), 'detached');
    });

    it('knows a row as one object [F185]', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      one.add(new Pair({ left: 1, right: '1:2', value: 1 }), new Pair({ left: 11, right: ':2', value: 2 }));
      await one.commit();
      const item = await one.getOne(Item, 1);
      assert.equal(await one.getOne(Item, 1), item);
      assert.equal(await one.scalars(select(Item)).one(), item);
      assert.equal((await one.execute(select(Item.c.id, Item)).one()).items, item);
      const pair = await one.getOne(Pair, { left: 1, right: '1:2' });
      assert.equal(pair.value, 1);
      assert.equal(await one.get(Pair, { right: '1:2', left: 1 }), pair);
      assert.notEqual(await one.get(Pair, { left: 11, right: ':2' }), pair);
    });

    it('asks nothing twice in one transaction, and again in the next', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      await one.commit();
      bind.sent();
      await one.get(Item, 1);
      await one.get(Item, 1);
      assert.equal(bind.sent().length, 1);
      await one.commit();
      await one.get(Item, 1);
      assert.equal(bind.sent().length, 1);
    });

    it('sends nothing and begins nothing when nothing is pending', async () => {
      const one = session();
      await one.flush();
      await one.commit();
      assert.deepEqual(bind.sent(), []);
    });

    it('writes in place changes of dates, bytes and replaced JSON, and nothing that did not change', async () => {
      const one = session();
      one.add(new Item({ name: 'a', data: { a: 1, b: 'x' }, bytes: new Uint8Array([1, 2]) }));
      await one.commit();
      const item = await one.getOne(Item, 1);
      item.data = { a: 1, b: 'x' };
      item.bytes = new Uint8Array([1, 2]);
      item.madeAt = new Date(item.madeAt);
      assert.equal(one.plan().steps.length, 0);
      item.madeAt.setTime(86_400_000);
      (item.bytes as Uint8Array)[0] = 9;
      item.data = { a: 2 };
      await one.commit();
      const other = session();
      const read = await other.getOne(Item, 1);
      assert.deepEqual([read.madeAt.getTime(), [...(read.bytes ?? [])], read.data], [86_400_000, [9, 2], { a: 2 }]);
      assert.equal(other.plan().steps.length, 0);
    });

    it('fills onUpdate columns, and lets a user overrule them', async () => {
      const one = session();
      const item = new Item({ name: 'a', changedAt: new Date(0) });
      one.add(item);
      await one.commit();
      assert.equal(item.changedAt.getTime(), 0);
      item.note = 'x';
      await one.commit();
      assert.notEqual(item.changedAt.getTime(), 0);
      item.note = 'y';
      item.changedAt = new Date(5);
      await one.commit();
      assert.equal(item.changedAt.getTime(), 5);
      assert.equal(one.plan().steps.length, 0);
    });

    it('writes 1,000 new rows, and 1,000 changed ones of one shape, in one statement each', async () => {
      const one = session();
      const items = Array.from({ length: 1000 }, (_, n) => new Item({ name: `n${n}` }));
      one.addAll(items);
      assert.equal(one.plan().steps.length, 1);
      await one.commit();
      assert.deepEqual(
        items.map(({ id }) => id),
        items.map((_, n) => n + 1),
      );
      for (const item of items) item.note = `note of ${item.name}`;
      assert.equal(one.plan().steps.length, 1);
      bind.sent();
      await one.commit();
      assert.equal(bind.sent()[0]?.length, 1);
      const read = await peek(async (s) => s.execute(select(Item.c.name, Item.c.note).orderBy(Item.c.id)));
      assert.ok(read.every(({ name, note }) => note === `note of ${name}`));
    });

    it('inserts rows of nothing but defaults', async () => {
      const one = session();
      one.add(new Empty({}), new Empty({}));
      await one.commit();
      assert.equal((await one.scalars(select(Empty)).all()).length, 2);
    });

    it('writes what belongs together in as few trips as its keys allow', async () => {
      const one = session();
      one.add(
        new Owner({ name: 'o', pets: [new Pet({ name: 'a' }), new Pet({ name: 'b' })] }),
        new Item({ name: 'x' }),
      );
      await one.commit();
      const writes = bind.sent();
      assert.equal(writes.length, 2);
      assert.equal(writes.flat().at(-1) === 'COMMIT', name === 'postgresql');
    });

    it('[X36] writes what was read in an earlier transaction only if it still is what was read', async () => {
      const one = session();
      const item = new Item({ name: 'a', count: 1 });
      one.add(item);
      await one.commit();
      await Session.begin(async (other) => {
        (await other.getOne(Item, 1)).count += 1;
      });
      item.count += 1;
      await assert.rejects(one.commit(), (error: unknown) => {
        assert.ok(error instanceof StaleDataError);
        assert.match(error.message, /UPDATE on items was to match 1 row and matched 0. The row is the one with id 1/);
        assert.match(error.message, /count/);
        return true;
      });
      await one.rollback();
      assert.deepEqual([item.count], [1]);
      await one.refresh(item);
      assert.deepEqual([item.count], [2]);
      item.count += 1;
      await one.commit();
      // A column nobody touched does not stand in the way.
      await Session.begin(async (other) => {
        (await other.getOne(Item, 1)).note = 'theirs';
      });
      item.rank = 8;
      await one.commit();
      await one.refresh(item);
      assert.deepEqual([item.count, item.note, item.rank], [3, 'theirs', 8]);
      // Overwriting on purpose.
      await one.commit();
      await Session.begin(async (other) => {
        (await other.getOne(Item, 1)).count = 50;
      });
      item.count = 4;
      await one.commit({ overwrite: true });
      assert.equal((await peek((s) => s.getOne(Item, 1))).count, 4);
      // A delete is guarded by the whole row.
      await Session.begin(async (other) => {
        (await other.getOne(Item, 1)).note = 'again';
      });
      one.delete(item);
      await assert.rejects(one.commit(), StaleDataError);
      await one.rollback();
      await one.refresh(item);
      one.delete(item);
      await one.commit();
      assert.equal(await peek((s) => s.get(Item, 1)), null);
      // NULL is compared as a value.
      const other = new Item({ name: 'n' });
      one.add(other);
      await one.commit();
      other.note = 'was null';
      await one.commit();
    });

    it('[F151] counts versions, whatever was read when', async () => {
      const one = session();
      const [a, b] = [new Versioned({ value: 1 }), new Versioned({ value: 1 })];
      one.add(a, b);
      await one.commit();
      assert.equal(a.version, 1);
      const other = session();
      const theirs = await other.getOne(Versioned, a.id);
      await other.commit();
      a.value = 2;
      b.value = 2;
      await one.commit();
      assert.equal(a.version, 2);
      theirs.value = 3;
      await assert.rejects(
        other.commit(),
        (error: unknown) => error instanceof StaleDataError && /version/.test(error.message),
      );
      await other.rollback();
      await other.refresh(theirs);
      assert.deepEqual([theirs.value, theirs.version], [2, 2]);
      other.delete(theirs);
      await other.commit();
      a.value = 9;
      await assert.rejects(one.commit(), StaleDataError);
      await one.rollback();
      b.value = 5;
      await one.commit({ overwrite: true });
      assert.equal(b.version, 3);
    });

    it('loses no increment, by expression, lock or version, and refuses the plain one', async () => {
      const one = session();
      one.add(new Counter({ value: 0 }), new Versioned({ value: 0 }));
      await one.commit();
      const counter = await one.getOne(Counter, 1);
      await one.commit();
      await Session.begin(async (other) => {
        assign(await other.getOne(Counter, 1), { value: Counter.c.value.plus(1) });
      });
      assign(counter, { value: Counter.c.value.plus(1) });
      assert.throws(() => counter.value, NotLoadedError);
      await one.commit();
      assert.equal(counter.value, 2);
      if (name === 'postgresql') {
        const locked = await one.getOne(Counter, 1, { forUpdate: true });
        locked.value += 1;
        await one.commit();
        assert.equal(locked.value, 3);
      }
    });

    it('[F198] takes SQL for a value, in new rows and in old ones, and reads it back', async () => {
      const one = session();
      const item = assign(new Item({ name: 'a' }), { note: func.upper(Item.c.name.concat('!')) as never, count: 3 });
      assign(item, { note: sql<string>`upper('made')` });
      one.add(item);
      await one.commit();
      assert.deepEqual([item.note, item.count], ['MADE', 3]);
      assign(item, { note: Item.c.name.concat('-', 'x'), count: Item.c.count.times(2) });
      await one.commit();
      assert.deepEqual([item.note, item.count], ['a-x', 6]);
      assign(item, { count: Item.c.count.plus(1) });
      item.count = 100;
      await one.commit();
      assert.equal(item.count, 100);
      assert.throws(() => assign(item, { nope: 1 } as never), UsageError);
    });

    it('[F188] writes what a query could see before it, and only then', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      assert.equal((await one.scalars(select(Item)).all()).length, 1);
      one.add(new Item({ name: 'b' }));
      bind.sent();
      await one.scalars(select(Owner)).all();
      assert.equal(bind.sent().length, 1);
      await one.noAutoflush(async () => {
        assert.equal((await one.scalars(select(Item)).all()).length, 1);
      });
      assert.equal((await one.execute(sql`select * from items`)).length, 2);
    });

    it('[F189] keeps values readable after a commit, and reads them again when it may', async () => {
      const one = session();
      const item = new Item({ name: 'a' });
      one.add(item);
      await one.commit();
      assert.equal(item.name, 'a');
      await Session.begin(async (other) => {
        (await other.getOne(Item, 1)).note = 'new';
      });
      assert.equal(item.note, null);
      await one.scalars(select(Item)).all();
      assert.equal(item.note, 'new');
      one.expire(item, ['note']);
      assert.throws(() => item.note, NotLoadedError);
      assert.equal(item.name, 'a');
      one.expire(item);
      assert.throws(() => item.name, NotLoadedError);
      assert.equal(item.id, 1);
      await one.refresh(item);
      assert.equal(item.note, 'new');
      item.note = 'mine';
      await one.refresh(item);
      assert.equal(item.note, 'new');
      one.expire(item);
      assert.equal(await one.get(Item, 1), item);
      assert.equal(item.note, 'new');
    });

    it('undoes in memory what a rollback undoes', async () => {
      const one = session();
      const kept = new Item({ name: 'kept', count: 1 });
      const gone = new Item({ name: 'gone' });
      one.add(kept, gone);
      await one.commit();
      const added = new Item({ name: 'added' });
      one.add(added);
      kept.count = 5;
      one.delete(gone);
      await one.flush();
      kept.count = 6;
      kept.note = 'unsaved';
      assert.equal(entityStatus(gone), 'deleted');
      assert.throws(() => one.add(gone), StateError);
      assert.equal(added.id, 3);
      const late = await one.scalars(select(Pair)).all();
      assert.deepEqual(late, []);
      await one.rollback();
      assert.deepEqual([kept.count, kept.note], [1, null]);
      assert.equal(entityStatus(gone), 'persistent');
      assert.equal(entityStatus(added), 'transient');
      assert.throws(() => added.id, NotLoadedError);
      assert.equal(one.plan().steps.length, 0);
      one.add(added);
      await one.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Item.c.name).orderBy(Item.c.name))), [
        'added',
        'gone',
        'kept',
      ]);
      // Read in the transaction that is undone: nobody knows what it would say.
      const other = session();
      const read = await other.getOne(Item, 1);
      await other.rollback();
      assert.throws(() => read.name, NotLoadedError);
      assert.equal(read.id, 1);
      await other.refresh(read);
      assert.equal(read.name, 'kept');
    });

    it('[F192] nests by savepoints, with memory in step', async () => {
      const one = session();
      const item = new Item({ name: 'a', count: 1 });
      one.add(item);
      await one.commit();
      await one.refresh(item);
      item.count = 2;
      const outer = await one.beginNested();
      item.count = 3;
      const inner = await one.beginNested();
      const added = new Item({ name: 'b' });
      one.add(added);
      item.count = 4;
      await one.flush();
      await assert.rejects(outer.commit(), StateError);
      await inner.rollback();
      assert.equal(item.count, 3);
      assert.equal(entityStatus(added), 'transient');
      await outer.commit();
      const third = await one.beginNested();
      await one.flush();
      item.count = 7;
      await third.commit();
      await assert.rejects(third.rollback(), StateError);
      await one.commit();
      assert.equal((await peek((s) => s.getOne(Item, 1))).count, 7);
      // A savepoint that was released goes with the transaction.
      const last = await one.beginNested();
      item.count = 8;
      await last.commit();
      await one.rollback();
      assert.equal(item.count, 7);
    });

    it('refuses to go on after a failed flush until it is rolled back', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      await one.commit();
      const twin = new Item({ name: 'a' });
      const item = await one.getOne(Item, 1);
      item.note = 'x';
      one.add(twin);
      await assert.rejects(one.flush(), (error: unknown) => {
        assert.ok(error instanceof UniqueViolationError);
        assert.match(error.message, /in the flush, at INSERT items/);
        return true;
      });
      assert.equal(entityStatus(twin), 'transient');
      await assert.rejects(one.scalars(select(Item)).all(), (error: unknown) => {
        assert.ok(error instanceof PendingRollbackError);
        assert.ok(error.cause instanceof UniqueViolationError);
        return true;
      });
      await assert.rejects(one.commit(), PendingRollbackError);
      assert.throws(() => one.add(twin), PendingRollbackError);
      await one.rollback();
      assert.equal((await one.scalars(select(Item)).all()).length, 1);
      // In a savepoint, what is around it survives.
      one.add(new Item({ name: 'b' }));
      const nested = await one.beginNested();
      one.add(new Item({ name: 'b' }));
      await assert.rejects(one.flush(), UniqueViolationError);
      await nested.rollback();
      await one.commit();
      assert.equal((await one.scalars(select(Item)).all()).length, 2);
    });

    it('leaves the transaction alone when a value is refused before anything is sent', async () => {
      const one = session();
      const item = new Item({ name: 'a' });
      one.add(item);
      item.count = 1.5;
      await assert.rejects(one.flush(), /items.count/);
      item.count = 1;
      (item as { name: string | undefined }).name = undefined;
      await assert.rejects(one.flush(), /items.name/);
      item.name = 'a';
      await one.commit();
      assert.equal(item.id, 1);
      one.add(Object.assign(new Pair({ left: 1, right: 'r', value: 1 }), {}));
      const pet = new Pet({ name: 'p', owner: new Owner({ name: 'o' }) });
      one.add(pet);
      await one.commit();
      const bare = new Counter({ value: 1 });
      Reflect.deleteProperty(bare, 'value');
      one.add(bare);
      await assert.rejects(one.flush(), FlushError);
    });

    it('runs a scope: committed at the end, rolled back on a throw, always closed', async () => {
      let inside: Session | undefined;
      const id = await Session.begin(async (scoped) => {
        inside = scoped;
        const item = new Item({ name: 'a' });
        scoped.add(item);
        await scoped.flush();
        return item.id;
      });
      assert.equal(id, 1);
      await assert.rejects(inside?.flush() ?? Promise.resolve(), StateError);
      const reason = new RangeError('no');
      await assert.rejects(
        Session.begin(async (scoped) => {
          scoped.add(new Item({ name: 'b' }));
          await scoped.flush();
          void scoped.scalars(select(Item)).all();
          throw reason;
        }),
        reason,
      );
      assert.equal((await peek((s) => s.scalars(select(Item)).all())).length, 1);
      assert.equal(bind.engine.status.inUse ?? 0, 0);
    });

    it('[F205] queues reads in call order and refuses what must be alone', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }), new Item({ name: 'b' }));
      await one.commit();
      const order: number[] = [];
      await Promise.all(
        [1, 2, 1, 2].map(async (key, n) => {
          await one.get(Item, key);
          order.push(n);
        }),
      );
      assert.deepEqual(order, [0, 1, 2, 3]);
      for (const overlapping of [() => one.flush(), () => one.commit(), () => one.rollback(), () => one.close()]) {
        const reading = one.refresh(await one.getOne(Item, 1));
        await assert.rejects(overlapping(), ConcurrentUseError);
        await reading;
      }
      (await one.getOne(Item, 1)).note = 'x';
      const flushing = one.flush();
      await assert.rejects(one.get(Item, 1), ConcurrentUseError);
      await assert.rejects(one.commit(), ConcurrentUseError);
      await flushing;
      await one.commit();
    });

    it('[F190] merges by copying onto its own object', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }), new Versioned({ value: 1 }));
      await one.commit();
      const item = await one.getOne(Item, 1);
      const version = await one.getOne(Versioned, 1);
      await one.close();
      item.note = 'detached change';
      const two = session();
      const merged = await two.merge(item);
      assert.notEqual(merged, item);
      assert.equal(merged.note, 'detached change');
      const fresh = await two.merge(new Item({ name: 'fresh' }));
      await two.commit();
      assert.equal(fresh.id, 2);
      (await two.getOne(Versioned, 1)).value = 2;
      await two.commit();
      await assert.rejects(two.merge(version), StaleDataError);
    });

    it('[F191] lets go of an entity', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      await one.commit();
      const item = await one.getOne(Item, 1);
      one.expunge(item);
      assert.equal(entityStatus(item), 'detached');
      item.note = 'nobody writes this';
      await one.commit();
      assert.throws(() => one.expunge(item), UsageError);
      const again = await one.getOne(Item, 1);
      assert.equal(again.note, null);
      assert.notEqual(again, item);
      await one.commit();
      assert.throws(() => one.add(item), StateError);
      const other = session();
      assert.throws(() => other.add(again), UsageError);
      one.expunge(again);
      other.add(again);
      again.note = 'now';
      await other.commit();
      assert.equal((await peek((s) => s.getOne(Item, 1))).note, 'now');
    });

    it('switches rows: delete and add of one key is an update', async () => {
      const one = session();
      one.add(new Pair({ left: 1, right: 'r', value: 1 }));
      await one.commit();
      const old = await one.getOne(Pair, { left: 1, right: 'r' });
      const next = new Pair({ left: 1, right: 'r', value: 2 });
      one.delete(old);
      one.add(next);
      assert.match(String(one.plan()), /1\. UPDATE pairs/);
      await one.commit();
      assert.equal(entityStatus(old), 'detached');
      assert.equal(await one.getOne(Pair, { left: 1, right: 'r' }), next);
      assert.equal(next.value, 2);
    });

    it('takes NULL that was asked for as NULL, not as the default', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }), new Item({ name: 'b', mood: null }));
      await one.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Item.c.mood).orderBy(Item.c.name))), ['fine', null]);
    });

    it('follows a changed key', async () => {
      const one = session();
      one.add(new Pair({ left: 1, right: 'r', value: 1 }));
      await one.commit();
      const pair = await one.getOne(Pair, { left: 1, right: 'r' });
      pair.left = 2;
      await one.flush();
      assert.equal(await one.get(Pair, { left: 2, right: 'r' }), pair);
      await one.rollback();
      assert.equal(pair.left, 1);
      assert.equal(await one.get(Pair, { left: 1, right: 'r' }), pair);
    });

    it('treats what a statement wrote over as stale', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      await one.commit();
      const item = await one.getOne(Item, 1);
      await one.execute(update(Item).set({ note: 'bulk' }).where(Item.c.id.eq(1)));
      assert.equal(item.note, null);
      assert.equal(await one.get(Item, 1), item);
      assert.equal(item.note, 'bulk');
      const [returned] = await one
        .scalars(update(Item).set({ note: 'back' }).where(Item.c.id.eq(1)).returning(Item))
        .all();
      assert.equal(returned, item);
      assert.equal(item.note, 'back');
    });

    it('reads without watching', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }));
      await one.commit();
      const [item] = await one.scalars(select(Item), { readOnly: true }).all();
      assert.ok(item);
      item.note = 'x';
      await one.commit();
      assert.equal((await one.getOne(Item, 1)).note, null);
      const only = Session({ readOnly: true });
      const read = await only.getOne(Item, 1);
      assert.equal(entityStatus(read), 'detached');
      await only.close();
    });

    it('speaks SQLAlchemy 1.x where the founding programme does', async () => {
      const one = session();
      one.add(new Item({ name: 'a' }), new Item({ name: 'b' }));
      await one.commit();
      assert.equal((await one.query(Item).get(1))?.name, 'a');
      assert.equal(await one.query(Item).get(99), null);
      assert.equal((await one.query(Item).filterBy({ name: 'b' }).first())?.id, 2);
      assert.equal((await one.query(Item).filter(Item.c.id.gt(0)).orderBy(Item.c.name.desc()).all())[0]?.name, 'b');
    });

    it('checks keys that come from outside', async () => {
      const one = session();
      for (const key of [null, undefined, '1', 1.5, {}, [], '1 or 1=1', Number.NaN]) {
        await assert.rejects(
          one.get(Item, key as never),
          (error: unknown) => error instanceof Error && 'code' in error,
        );
      }
      for (const key of [1, { left: 1 }, { left: 1, right: 'r', more: 1 }, { left: 1, right: { $ne: 1 } }, [1, 'r']]) {
        await assert.rejects(
          one.get(Pair, key as never),
          (error: unknown) => error instanceof Error && 'code' in error,
        );
      }
    });

    it('does not travel, and can be logged', async () => {
      const one = session();
      one.add(new Item({ name: 'secret-name' }));
      assert.throws(() => structuredClone(one), NotTransferableError);
      assert.throws(() => structuredClone({ deep: [one] }), NotTransferableError);
      assert.ok(!JSON.stringify(one).includes('secret'));
      const nested = await one.beginNested();
      assert.throws(() => structuredClone(nested), NotTransferableError);
      await nested.rollback();
      const result = one.scalars(select(Item));
      assert.throws(() => structuredClone(result), NotTransferableError);
      const [item] = await result;
      assert.deepEqual(Object.keys(structuredClone(item) as object).includes('name'), true);
    });

    it('takes a signal and a timeout', async () => {
      const one = session();
      await assert.rejects(one.get(Item, 1, { signal: AbortSignal.abort() }));
      await one.rollback();
      one.add(new Item({ name: 'a' }));
      await assert.rejects(one.commit({ signal: AbortSignal.abort() }));
      await one.rollback();
      await one.commit({ timeout: 5000 });
      await assert.rejects(
        Session.begin((scoped) => scoped.get(Item, 1), { signal: AbortSignal.abort() }),
        CancelledError,
      );
      assert.throws(() => Session({ nope: 1 } as never), UsageError);
      assert.throws(() => sessionmaker({} as never), UsageError);
    });
  });
}
