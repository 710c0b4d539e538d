// The text of each clause on both dialects, and what cannot be said in SQL.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CompileError, DataError, UnsupportedError, UsageError } from '../../../src/errors/index.ts';
import { boolean, integer, json, text, varchar } from '../../../src/schema/columns.ts';
import { MetaData } from '../../../src/schema/metadata.ts';
import { table } from '../../../src/schema/table.ts';
import { alias } from '../../../src/sql/alias.ts';
import { deleteFrom } from '../../../src/sql/statements/delete.ts';
import { FROM } from '../../../src/sql/from.ts';
import { func } from '../../../src/sql/functions.ts';
import { insert } from '../../../src/sql/statements/insert.ts';
import { RELATION } from '../../../src/sql/phantom.ts';
import { and, caseWhen, exists, literal, not, or } from '../../../src/sql/predicates.ts';
import { sql } from '../../../src/sql/raw.ts';
import { relationExists } from '../../../src/sql/relation-exists.ts';
import type { RelationJoin } from '../../../src/sql/relation.ts';
import { binaryNode, columnNode } from '../../../src/sql/expression-factory.ts';
import { expression } from '../../../src/sql/expression.ts';
import { select } from '../../../src/sql/statements/select.ts';
import { update } from '../../../src/sql/statements/update.ts';
import { addresses, items, orders, users } from '../sql/shop.ts';
import { bound, lite, params, pg } from './texts.ts';

const metadata = new MetaData({ schema: 'app' });
const odd = table('Odd "table"', metadata, {
  id: integer().primaryKey(),
  select: text(),
  userName: text(),
  as_is: text().named('As Is'),
});
const tags = table('tags', metadata, {
  id: integer().primaryKey(),
  label: text(),
  on: boolean(),
  data: json<{ a: number }>(),
  code: varchar(3),
});

/** Only what stands in WHERE. */
function where(condition: Parameters<typeof not>[0]): string {
  return pg(select(users.c.id).selectFrom(users).where(condition))
    .replace('SELECT users.id FROM users WHERE ', '')
    .replaceAll('users.', '');
}

describe('expressions', () => {
  const { id, name, email, managerId } = users.c;
  test('operators are closed in only where they must be', () => {
    assert.equal(where(and(id.eq(1), or(id.gt(2), name.eq('a')))), 'id = $1 AND (id > $2 OR name = $3)');
    assert.equal(where(or(and(id.eq(1), id.lt(2)), id.eq(3))), 'id = $1 AND id < $2 OR id = $3');
    assert.equal(where(or(id.eq(1), or(id.eq(2), id.eq(3)))), 'id = $1 OR id = $2 OR id = $3');
    assert.equal(where(not(and(id.eq(1), id.eq(2)))), 'NOT (id = $1 AND id = $2)');
    assert.equal(where(id.eq(1).not().and(email.isNull())), 'NOT (id = $1) AND email IS NULL');
    assert.equal(where(id.plus(1).times(2).eq(3)), '(id + $1) * $2 = $3');
    assert.equal(where(id.plus(id.times(2)).eq(3)), 'id + id * $1 = $2');
    assert.equal(where(id.minus(id.minus(1)).eq(id.minus(1).minus(2))), 'id - (id - $1) = id - $2 - $3');
    assert.equal(where(id.div(id.div(2)).eq(1)), 'id / (id / $1) = $2');
    assert.equal(where(id.eq(1).eq(id.gt(2))), '(id = $1) = (id > $2)');
    assert.equal(where(id.eq(1).isNull()), '(id = $1) IS NULL');
    assert.equal(where(name.concat('x', name.concat('y')).eq('z')), 'name || $1 || (name || $2) = $3');
    assert.equal(
      where(name.concat('x').in(['a'])),
      '(name || $1) = ANY($2)'.replace(/[()]/g, (c, at: number) => (at < 12 ? '' : c)),
    );
    assert.equal(where(id.between(1, id.plus(2))), 'id BETWEEN $1 AND id + $2');
    assert.equal(
      where(managerId.isDistinctFrom(null).and(managerId.isNotDistinctFrom(3))),
      'manager_id IS DISTINCT FROM $1 AND manager_id IS NOT DISTINCT FROM $2',
    );
    assert.equal(where(sql<boolean>`a or b`.and(id.eq(1))), '(a or b) AND id = $1');
    assert.equal(where(and()), 'TRUE');
    assert.equal(where(or(undefined)), 'FALSE');
    assert.equal(where(and(undefined, id.eq(1))), 'id = $1');
  });

  test('a list of any length is one parameter; the empty one is as good as another', () => {
    for (const list of [[], [1], [1, 2, 3]]) {
      assert.equal(where(id.in(list)), 'id = ANY($1)');
      assert.deepEqual(params(select(id).where(id.notIn(list))), [list]);
    }
    assert.equal(
      lite(select(id).where(id.notIn([1]))),
      'SELECT users.id FROM users WHERE users.id NOT IN (SELECT value FROM json_each(?1))',
    );
    assert.deepEqual(bound('sqlite', select(id).where(id.in([1]))).text.params, ['integer[]']);
  });

  test('what stands in a pattern literally is escaped', () => {
    assert.deepEqual(params(select(id).where(name.startsWith('5%_\\'), name.endsWith('%'), name.contains('_'))), [
      '5\\%\\_\\\\%',
      '%\\%',
      '%\\_%',
    ]);
    assert.match(
      lite(select(id).where(name.like('a%'), name.ilike('B%'))),
      /name LIKE \?1 ESCAPE '\\' AND lower\(users\.name\) LIKE lower\(\?2\) ESCAPE '\\'$/,
    );
    assert.match(pg(select(id).where(name.ilike('B%'))), /name ILIKE \$1$/);
  });

  test('functions, windows, filters, casts, cases and JSON members', () => {
    const text_ = (e: Parameters<typeof select>[0]): string =>
      pg(select(e as unknown as typeof id)).replace(/^SELECT (.*?)( FROM.*)?$/, '$1');
    assert.equal(text_(func.count(id).filter(id.gt(1)) as never), 'count(users.id) FILTER (WHERE users.id > $1)');
    assert.equal(
      text_(func.sum(id).over({ partitionBy: [name], orderBy: [id.desc(), name] }) as never),
      'sum(users.id) OVER (PARTITION BY users.name ORDER BY users.id DESC, users.name)',
    );
    assert.equal(text_(func.rank().over({}) as never), 'rank() OVER ()');
    assert.equal(text_(func.coalesce(email, 'x') as never), 'coalesce(users.email, $1)');
    assert.equal(text_(func.call<number>('abs', id, 5) as never), 'abs(users.id, CAST($1 AS bigint))');
    assert.equal(text_(id.cast(varchar(3)) as never), 'CAST(users.id AS varchar(3))');
    assert.equal(
      text_(
        caseWhen([
          [id.gt(1), id],
          [id.gt(0), 5],
        ]) as never,
      ),
      'CASE WHEN users.id > $1 THEN users.id WHEN users.id > $2 THEN CAST($3 AS bigint) END',
    );
    assert.equal(text_(users.c.settings.path('theme') as never), 'users.settings #> $1');
    assert.deepEqual(params(select(users.c.settings.path("a'b" as never))), [["a'b"]]);
    assert.deepEqual(params(select(users.c.settings.path('a"b.c' as never)), 'sqlite'), ['$."a\\"b.c"']);
    assert.equal(text_(func.now() as never), 'CURRENT_TIMESTAMP(3)');
    assert.equal(text_(literal('x') as never), 'CAST($1 AS text)');
    assert.throws(() => lite(select(func.arrayAgg(id))), UnsupportedError);
  });

  test('types of results follow the expressions', () => {
    const wires = (...e: [typeof id, ...(typeof id)[]]): unknown => bound('postgresql', select(...e)).text.results;
    const of = (...e: unknown[]): unknown => wires(...(e as [typeof id]));
    assert.deepEqual(
      of(
        func.count(),
        func.sum(id),
        func.sum(orders.c.id),
        func.avg(id),
        func.sum(items.c.price),
        func.max(orders.c.placedAt),
      ),
      ['integer', 'integer', 'text', 'text', 'float', 'epoch'],
    );
    assert.deepEqual(
      of(
        id.plus(1),
        id.eq(1),
        name.concat('x'),
        id.label('x'),
        users.c.settings.path('theme'),
        sql`1`,
        func.arrayAgg(id),
      ),
      ['integer', 'boolean', 'text', 'integer', 'json', undefined, 'integer[]'],
    );
  });
});

describe('names', () => {
  test('are quoted only where they must be, and schemas stand before tables', () => {
    assert.equal(
      pg(select(odd.c.select, odd.c.userName, odd.c.as_is)),
      'SELECT "Odd ""table"""."select", "Odd ""table""".user_name, "Odd ""table"""."As Is" FROM app."Odd ""table"""',
    );
    assert.equal(lite(select(tags.c.on)), 'SELECT tags."on" FROM tags');
    assert.equal(pg(select({ userId: users.c.id })), 'SELECT users.id AS "userId" FROM users');
  });
  test('that the server would cut or misread are refused', () => {
    for (const name of ['', 'a\0b', 'x'.repeat(64), 'é'.repeat(32), '\ud800']) {
      assert.throws(() => pg(select({ [name]: users.c.id })), CompileError);
    }
    assert.doesNotThrow(() => pg(select({ [`${'é'.repeat(31)}x`]: users.c.id })));
  });
});

describe('FROM', () => {
  test('comes from the columns used, each once', () => {
    assert.equal(
      pg(select(users.c.id).where(orders.c.userId.eq(users.c.id))),
      'SELECT users.id FROM users, orders WHERE orders.user_id = users.id',
    );
    assert.equal(pg(select(literal(1))), 'SELECT CAST($1 AS bigint)');
    assert.equal(pg(select(func.count()).selectFrom(users)), 'SELECT count(*) FROM users');
    assert.equal(
      pg(select(users.c.id, orders.c.id).join(addresses, addresses.c.userId.eq(users.c.id))),
      'SELECT users.id, orders.id FROM users CROSS JOIN orders JOIN addresses ON addresses.user_id = users.id',
    );
  });
  test('a join without a condition follows the one foreign key there is', () => {
    assert.equal(
      pg(select(items.c.price).join(orders).join(users)),
      'SELECT order_items.price FROM order_items JOIN orders ON order_items.order_id = orders.id JOIN users ON orders.user_id = users.id',
    );
    assert.throws(() => pg(select(users.c.id).join(addresses)), /more than one way/);
    assert.throws(() => pg(select(users.c.id).join(items)), /No foreign key/);
    assert.throws(() => pg(select(users.c.id).join(orders).join(orders)), /joined twice/);
    const boss = alias(users, 'boss');
    assert.match(pg(select(users.c.id).join(boss)), /JOIN users AS boss ON users\.manager_id = boss\.id$/);
  });
  test('equal names are told apart or refused', () => {
    const a = alias(users, 'a');
    assert.equal(pg(select(a.c.id, alias(users, 'a').c.name)), 'SELECT a.id, a.name FROM users AS a');
    assert.throws(() => pg(select(users.c.id, alias(orders, 'users').c.id)), CompileError);
    const one = select(orders.c.userId).where(orders.c.id.eq(1n)).subquery('s');
    const two = select(orders.c.userId).where(orders.c.id.eq(2n)).subquery('s');
    assert.throws(() => pg(select(one.c.userId, two.c.userId)), CompileError);
    const c1 = select(orders.c.userId).where(orders.c.id.eq(1n)).cte('c');
    const c2 = select(orders.c.userId).where(orders.c.id.eq(2n)).cte('c');
    assert.throws(() => pg(select(c1.c.userId).where(c1.c.userId.in(c2))), CompileError);
  });
  test('an inner query takes what an outer one has, and needs something of its own', () => {
    const inner = select(orders.c.id).where(orders.c.userId.eq(users.c.id));
    assert.equal(
      pg(select(users.c.id).where(exists(inner))),
      'SELECT users.id FROM users WHERE EXISTS (SELECT orders.id FROM orders WHERE orders.user_id = users.id)',
    );
    assert.equal(pg(inner), 'SELECT orders.id FROM orders, users WHERE orders.user_id = users.id');
    assert.equal(
      pg(select(literal(1)).where(exists(inner))),
      'SELECT CAST($1 AS bigint) WHERE EXISTS (SELECT orders.id FROM orders, users WHERE orders.user_id = users.id)',
    );
    assert.throws(
      () => pg(select(users.c.id).where(users.c.id.in(select(users.c.managerId)))),
      /nothing to select from/,
    );
    assert.match(
      pg(update(users).set({ name: 'x' }).where(exists(inner))),
      /WHERE EXISTS \(SELECT orders\.id FROM orders WHERE orders\.user_id = users\.id\)$/,
    );
    assert.match(pg(deleteFrom(users).where(exists(inner))), /FROM orders WHERE orders\.user_id = users\.id\)$/);
    // A subquery in FROM sees nothing around it.
    assert.match(
      pg(select(users.c.id).join(inner.subquery('i'), literal(true))),
      /\(SELECT orders\.id FROM orders, users WHERE/,
    );
  });
  test('relations join and test for existence, with a table in between and within one table', () => {
    const pair = (left: string, right: string) => (a: never, b: never) => {
      const column = (from: (typeof users)[typeof FROM], key: string) =>
        columnNode(from, from.columns.find((one) => one.key === key) as never);
      return binaryNode('eq', { left: column(a, left), right: column(b, right) });
    };
    const join: RelationJoin = {
      source: users[FROM],
      target: addresses[FROM],
      on: pair('id', 'userId') as RelationJoin['on'],
    };
    const relation = { [RELATION]: () => join };
    assert.equal(
      pg(select(users.c.id).outerJoin(relation as never)),
      'SELECT users.id FROM users LEFT JOIN addresses ON users.id = addresses.user_id',
    );
    assert.equal(
      pg(select(addresses.c.city).join(relation as never)),
      'SELECT addresses.city FROM users JOIN addresses ON users.id = addresses.user_id',
    );
    const through: RelationJoin = {
      source: users[FROM],
      target: items[FROM],
      on: pair('id', 'userId') as RelationJoin['on'],
      secondary: { from: orders[FROM], on: pair('id', 'orderId') as RelationJoin['on'] },
    };
    assert.match(
      pg(select(users.c.id).join({ [RELATION]: () => through } as never)),
      /FROM users JOIN orders ON users\.id = orders\.user_id JOIN order_items ON orders\.id = order_items\.order_id$/,
    );
    const any = expression<boolean>(
      relationExists(join, (addresses.c.city.eq('x') as never as { [k: symbol]: never })[Symbol.for('athanor.node')]),
    );
    assert.equal(
      pg(select(users.c.id).where(any)),
      'SELECT users.id FROM users WHERE EXISTS (SELECT TRUE FROM addresses WHERE users.id = addresses.user_id AND addresses.city = $1)',
    );
    const self: RelationJoin = {
      source: users[FROM],
      target: users[FROM],
      on: pair('id', 'managerId') as RelationJoin['on'],
    };
    assert.match(
      pg(select(users.c.id).where(expression<boolean>(relationExists(self)))),
      /EXISTS \(SELECT TRUE FROM users AS users_1 WHERE users\.id = users_1\.manager_id\)$/,
    );
  });
});

describe('queries', () => {
  test('group by and order by a label go by its position and its name', () => {
    const year = sql<number>`extract(year from ${users.c.createdAt})`.label('year');
    assert.equal(
      pg(select({ year, n: func.count() }).groupBy(year).orderBy(year.desc())),
      'SELECT extract(year from users.created_at) AS year, count(*) AS n FROM users GROUP BY 1 ORDER BY year DESC',
    );
    assert.match(pg(select(users, year).groupBy(year)), /GROUP BY 9$/);
    assert.match(pg(select(users.c.id).orderBy(func.lower(users.c.name))), /ORDER BY lower\(users\.name\)$/);
  });
  test('unions close in parts with an order of their own, and are ordered by their columns', () => {
    const a = select(users.c.id);
    const b = select(addresses.c.userId);
    assert.equal(
      pg(a.union(b).unionAll(b)),
      'SELECT users.id FROM users UNION SELECT addresses.user_id FROM addresses UNION ALL SELECT addresses.user_id FROM addresses',
    );
    assert.equal(
      pg(a.limit(1).union(b.unionAll(b))),
      'SELECT * FROM (SELECT users.id FROM users LIMIT $1) AS part UNION SELECT * FROM (SELECT addresses.user_id FROM addresses UNION ALL SELECT addresses.user_id FROM addresses) AS part',
    );
    assert.match(
      pg(a.union(b).limit(2).union(b)),
      /^SELECT \* FROM \(SELECT users\.id FROM users UNION SELECT .* LIMIT \$1\) AS part UNION/,
    );
    assert.match(pg(a.union(b).orderBy(users.c.id.desc()).offset(1)), / ORDER BY id DESC OFFSET \$1$/);
    assert.throws(() => pg(a.union(b).orderBy(users.c.name)), CompileError);
    assert.throws(() => a.union(b).where(users.c.id.eq(1)), UsageError);
    assert.throws(() => a.union(select(users.c.id, users.c.name)), CompileError);
    assert.throws(() => pg(a.forUpdate().union(b)), CompileError);
  });
  test('common table expressions stand once before everything, those they use before them', () => {
    const first = select(orders.c.userId).where(orders.c.id.gt(5n)).cte('first');
    const second = select(first.c.userId).where(first.c.userId.lt(9)).cte('second');
    const q = select(users.c.id).where(users.c.id.in(second), users.c.id.in(first), users.c.name.eq('n')).limit(1);
    assert.equal(
      pg(q),
      'WITH first (user_id) AS (SELECT orders.user_id FROM orders WHERE orders.id > $1), second (user_id) AS (SELECT first.user_id FROM first WHERE first.user_id < $2) SELECT users.id FROM users WHERE users.id IN (SELECT second.user_id FROM second) AND users.id IN (SELECT first.user_id FROM first) AND users.name = $3 LIMIT $4',
    );
    assert.deepEqual(params(q), [5n, 9, 'n', 1]);
    assert.match(pg(select(users.c.id).with(first)), /^WITH first \(user_id\) AS .* SELECT users\.id FROM users$/);
    assert.match(
      pg(insert(addresses).fromSelect(select({ userId: first.c.userId, street: literal('s') }))),
      /^WITH first .* INSERT INTO addresses \(user_id, street\) SELECT first\.user_id AS "userId", CAST/,
    );
  });
  test('distinct on, and locks, where the database has them', () => {
    assert.match(pg(select(users.c.id).distinct(users.c.name)), /^SELECT DISTINCT ON \(users\.name\) users\.id/);
    assert.throws(() => lite(select(users.c.id).distinct(users.c.name)), UnsupportedError);
    assert.equal(
      lite(select(users.c.id).distinct().forUpdate().offset(3)),
      'SELECT DISTINCT users.id FROM users LIMIT -1 OFFSET ?1',
    );
    assert.throws(() => lite(select(users.c.id).forUpdate({ skipLocked: true })), UnsupportedError);
    assert.match(pg(select(users.c.id).forUpdate({ of: users })), / FOR UPDATE OF users$/);
  });
  test('subqueries select columns, under names that differ', () => {
    assert.throws(() => select(users).subquery('u'), UsageError);
    assert.throws(() => select(users.c.id, addresses.c.id).subquery('u'), CompileError);
    assert.throws(() => select(users.c.id, users.c.name).scalar(), UsageError);
    const sub = select({ a: users.c.id, b: func.count() }).subquery('u');
    assert.equal(pg(select(sub.c.b)), 'SELECT u.b FROM (SELECT users.id AS a, count(*) AS b FROM users) AS u');
    const counted = select(func.rowNumber().over({}).label('rn'), func.count()).selectFrom(users).subquery('u');
    assert.equal(
      pg(select(counted.c.rn, counted.c.count)),
      'SELECT u.rn, u.count FROM (SELECT row_number() OVER () AS rn, count(*) AS count FROM users) AS u',
    );
  });
});

describe('writes', () => {
  test('an insert of rows is one text whatever their number', () => {
    const rows = (count: number) =>
      insert(addresses).values(Array.from({ length: count }, (_, n) => ({ street: `s${n}`, userId: n })));
    assert.equal(pg(rows(1)), 'INSERT INTO addresses (street, user_id) VALUES ($1, $2)');
    assert.equal(pg(rows(2)), pg(rows(9)));
    assert.deepEqual(params(rows(2)), [
      ['s0', 's1'],
      [0, 1],
    ]);
    assert.match(pg(rows(2)), /unnest\(CAST\(\$1 AS varchar\[\]\), CAST\(\$2 AS integer\[\]\)\) WITH ORDINALITY/);
    const sets = bound('sqlite', rows(2).onConflictDoUpdate({ target: [addresses.c.id], set: () => ({ city: 'c' }) }));
    assert.match(sets.text.sql, /VALUES \(\?1, \?2\) ON CONFLICT \(id\) DO UPDATE SET city = \?3$/);
    assert.deepEqual(sets.sets, [
      ['s0', 0, 'c'],
      ['s1', 1, 'c'],
    ]);
  });
  test('a row without values is all defaults', () => {
    const t = table('only_defaults', new MetaData(), { id: integer().primaryKey(), note: text().nullable() });
    assert.equal(pg(insert(t)), 'INSERT INTO only_defaults DEFAULT VALUES');
    assert.equal(
      lite(insert(t).values({}).returning(t.c.id)),
      'INSERT INTO only_defaults DEFAULT VALUES RETURNING only_defaults.id',
    );
    assert.throws(() => pg(insert(t).values([{}, {}])), CompileError);
  });
  test('defaults are filled in, those that are functions anew for each execution', () => {
    let next = 0;
    const t = table('with_defaults', new MetaData(), {
      id: integer().primaryKey(),
      a: integer().default(() => ++next),
      b: text().default('b'),
      c: integer().onUpdate(() => ++next),
    });
    const q = insert(t).values({ c: 0 });
    assert.deepEqual(
      [params(q), params(q)],
      [
        [1, 'b', 0],
        [2, 'b', 0],
      ],
    );
    const u = update(t).set({ b: 'x' }).where(t.c.id.eq(9));
    assert.equal(pg(u), 'UPDATE with_defaults SET b = $1, c = $2 WHERE with_defaults.id = $3');
    assert.equal(params(u)[1], next);
    assert.deepEqual(params(update(t).set({ c: 5 }).everyRow()), [5]);
  });
  test('a wrong value names its column before anything is sent [B12]', () => {
    for (const row of [
      { street: 'a\0', userId: 1 },
      { street: 's', userId: 1.5 },
    ]) {
      assert.throws(
        () => pg(insert(addresses).values([{ street: 'fine', userId: 1 }, row])),
        (error: unknown) =>
          error instanceof DataError &&
          error.table === 'addresses' &&
          (error.column === 'street' || error.column === 'user_id'),
      );
    }
  });
  test('another table in a condition joins: UPDATE ... FROM, DELETE ... USING', () => {
    assert.equal(
      pg(deleteFrom(items).where(items.c.orderId.eq(orders.c.id), orders.c.paid.eq(true))),
      'DELETE FROM order_items USING orders WHERE order_items.order_id = orders.id AND orders.paid = $1',
    );
    assert.throws(() => lite(deleteFrom(items).where(items.c.orderId.eq(orders.c.id))), UnsupportedError);
    assert.throws(() => update(alias(users, 'u') as never), UsageError);
  });
});
