// The key of a statement's shape: whatever is equal but for its values shares a key and a text, and whatever differs in
// its text, in what it binds or in what it returns has another. Statements are drawn at random, out of every clause.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CompileCache } from '../../../src/dialect/compile-cache.ts';
import { AthanorError } from '../../../src/errors/index.ts';
import { integer, text } from '../../../src/schema/columns.ts';
import { alias } from '../../../src/sql/alias.ts';
import { deleteFrom } from '../../../src/sql/statements/delete.ts';
import type { Expr } from '../../../src/sql/expr.ts';
import { func } from '../../../src/sql/functions.ts';
import { insert } from '../../../src/sql/statements/insert.ts';
import type { StatementNode } from '../../../src/sql/node.ts';
import { and, caseWhen, exists, literal, not, or } from '../../../src/sql/predicates.ts';
import { sql, statementNode } from '../../../src/sql/raw.ts';
import { select } from '../../../src/sql/statements/select.ts';
import { update } from '../../../src/sql/statements/update.ts';
import { compilers, type Dialect } from '../dialect/texts.ts';
import { addresses, orders, users } from './shop.ts';

/** A statement but for its values, which come from `next`. */
type Shape<T> = (next: () => number) => T;
type Num = Expr<number>;
type Bool = Expr<boolean | null>;

const u2 = alias(users, 'u2');
const numbers = [users.c.id, addresses.c.id, addresses.c.userId, orders.c.userId, u2.c.id] as readonly Num[];
const texts = [users.c.name, addresses.c.street, u2.c.name] as readonly Expr<string>[];
const names = ['a', 'b', '1:a', 'a]', ''] as const;

const drawn = fc.letrec<{ number: Shape<Num>; bool: Shape<Bool>; query: Shape<ReturnType<typeof inner>> }>((tie) => {
  const one = <T, R>(a: fc.Arbitrary<T>, make: (a: T, next: () => number) => R): fc.Arbitrary<Shape<R>> =>
    a.map((x) => (next) => make(x, next));
  const number = tie('number');
  const bool = tie('bool');
  const leaf = fc.oneof(
    one(fc.constantFrom(...numbers), (column) => column),
    one(fc.constant(0), (_, next) => literal<number>(next())),
  );
  return {
    number: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      one(fc.tuple(number, number, fc.constantFrom('plus', 'minus', 'times', 'div')), ([a, b, op], next) =>
        a(next)[op as 'plus'](b(next)),
      ),
      one(fc.tuple(number, fc.constantFrom('plus', 'times')), ([a, op], next) => a(next)[op as 'plus'](next())),
      one(
        fc.tuple(bool, number, fc.option(number)),
        ([when, then, otherwise], next) => caseWhen([[when(next), then(next)]], otherwise?.(next)) as Num,
      ),
      one(fc.tuple(number, fc.constantFrom('abs', 'sign', 'f')), ([a, name], next) => func.call<number>(name, a(next))),
      one(number, (a, next) => sql<number>`(${a(next)} + ${next()})`),
      one(number, (a, next) => sql<number>`(${a(next)}${sql` + `}${next()})`),
      one(fc.tuple(number, fc.boolean()), ([a, desc], next) =>
        func.count(a(next)).over({ partitionBy: desc ? [a(next)] : [], orderBy: desc ? [] : [a(next)] }),
      ),
      one(number, (a, next) => a(next).cast(integer()) as Num),
      one(tie('query'), (q, next) => q(next).scalar() as Num),
    ),
    bool: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      one(fc.tuple(number, number, fc.constantFrom('eq', 'ne', 'lt', 'ge')), ([a, b, op], next) =>
        a(next)[op as 'eq'](b(next)),
      ),
      one(fc.tuple(fc.constantFrom(...texts), fc.constantFrom('like', 'ilike', 'startsWith', 'eq')), ([a, op], next) =>
        a[op as 'like'](`t${next()}`),
      ),
      one(fc.tuple(bool, bool, fc.boolean()), ([a, b, both], next) =>
        both ? and(a(next), b(next)) : or(a(next), b(next)),
      ),
      one(bool, (a, next) => not(a(next))),
      one(fc.tuple(number, fc.boolean()), ([a, negated], next) =>
        negated ? a(next).notIn([next(), next()]) : a(next).in(next() % 2 === 0 ? [] : [next()]),
      ),
      one(fc.tuple(number, fc.boolean()), ([a, negated], next) => (negated ? a(next).isNotNull() : a(next).isNull())),
      one(fc.tuple(number, number), ([a, b], next) => a(next).between(b(next), next())),
      one(number, (a, next) => a(next).isDistinctFrom(next())),
      one(tie('query'), (q, next) => exists(q(next))),
      one(fc.tuple(number, tie('query')), ([a, q], next) => a(next).in(q(next))),
      one(fc.constant(0), (_, next) => users.c.settings.path('theme').eq(`v${next()}`)),
    ),
    query: one(fc.tuple(number, fc.option(bool), fc.boolean()), ([a, where, wrapped], next) => {
      const q = inner(a(next), where?.(next));
      if (!wrapped) return q;
      const sub = q.subquery('s');
      return inner(sub.c.x as unknown as Num, sub.c.x.gt(next()) as Bool);
    }),
  };
});

function inner(item: Num, where: Bool | undefined) {
  return select({ x: item }).selectFrom(orders).where(where);
}

const statement: fc.Arbitrary<Shape<unknown>> = fc.oneof(
  fc
    .record({
      items: fc.array(drawn.number, { minLength: 1, maxLength: 3 }),
      label: fc.option(fc.constantFrom(...names.slice(0, 4))),
      where: fc.array(drawn.bool, { maxLength: 2 }),
      order: fc.option(fc.tuple(drawn.number, fc.boolean(), fc.boolean())),
      group: fc.option(drawn.number),
      having: fc.option(drawn.bool),
      limit: fc.boolean(),
      offset: fc.boolean(),
      distinct: fc.boolean(),
      join: fc.constantFrom('none', 'inner', 'left'),
      lock: fc.constantFrom(undefined, 'update', 'share'),
      union: fc.constantFrom('none', 'union', 'unionAll'),
      whole: fc.boolean(),
    })
    .map((d) => (next: () => number) => {
      const items = d.items.map((item, index) =>
        d.label !== null && index === 0 ? item(next).label(d.label) : item(next),
      );
      let q = d.whole ? select(users, ...items) : select(...(items as [Num]));
      if (d.union !== 'none') return q[d.union](q).limit(next());
      q = q.where(...d.where.map((one) => one(next)));
      if (d.order !== null)
        q = q.orderBy(
          d.order[1] ? d.order[0](next).desc() : d.order[2] ? d.order[0](next).asc().nullsLast() : d.order[0](next),
        );
      if (d.group !== null) q = q.groupBy(d.group(next));
      if (d.having !== null) q = q.having(d.having(next));
      if (d.limit) q = q.limit(next());
      if (d.offset) q = q.offset(next());
      if (d.distinct) q = q.distinct();
      if (d.join !== 'none') {
        const target = alias(addresses, 'joined');
        const on = target.c.userId.eq(next());
        q = d.join === 'inner' ? q.join(target, on) : (q.outerJoin(target, on) as unknown as typeof q);
      }
      return d.lock === undefined ? q : q.forUpdate({ mode: d.lock as 'share' });
    }),
  fc
    .record({
      count: fc.constantFrom(1, 2, 3),
      city: fc.constantFrom('none', 'some', 'expression'),
      conflict: fc.constantFrom('no', 'nothing', 'update'),
      returning: fc.constantFrom('no', 'id', 'all'),
    })
    .map((d) => (next: () => number) => {
      const rows = Array.from({ length: d.count }, (_, index) => ({
        street: `s${next()}`,
        userId: next(),
        ...(d.city === 'none' || (d.city === 'some' && index > 0)
          ? {}
          : { city: d.city === 'expression' ? (func.lower(literal(`c${next()}`)) as never) : `c${next()}` }),
      }));
      let q = insert(addresses).values(rows);
      if (d.conflict === 'nothing') q = q.onConflictDoNothing([addresses.c.id]);
      if (d.conflict === 'update')
        q = q.onConflictDoUpdate({
          target: [addresses.c.id],
          set: (x) => ({ street: x.street.concat(`+${next()}`), userId: next() }),
        });
      return d.returning === 'no' ? q : d.returning === 'id' ? q.returning(addresses.c.id) : q.returning(addresses);
    }),
  fc
    .record({ value: drawn.number, where: drawn.bool, remove: fc.boolean(), returning: fc.boolean() })
    .map((d) => (next: () => number) => {
      if (d.remove) return deleteFrom(users).where(d.where(next));
      const q = update(users)
        .set({ managerId: d.value(next), name: `n${next()}` })
        .where(d.where(next));
      return d.returning ? q.returning(users.c.id, users.c.name.cast(text())) : q;
    }),
);

function counter(from: number): () => number {
  let value = from;
  return () => value++;
}

/** What makes up a compiled statement besides its values; `undefined` where the statement is refused. */
function compiled(dialect: Dialect, node: StatementNode): string | undefined {
  try {
    const { text: made, result } = compilers[dialect].compile(node);
    const items = result?.items.map((item) =>
      item.kind === 'value'
        ? [item.key, item.index, item.type?.key]
        : [item.key, item.start, item.from.key, item.columns.length],
    );
    return JSON.stringify([made, items]);
  } catch (error) {
    if (error instanceof AthanorError) return undefined;
    throw error;
  }
}

const runs = { numRuns: 400 };

test('the same shape always shares a key, and is bound right by the text of another [F099]', () => {
  fc.assert(
    fc.property(statement, (shape) => {
      const [a, b] = [statementNode(shape(counter(0))), statementNode(shape(counter(1000)))];
      assert.equal(a.key, b.key);
      for (const dialect of ['postgresql', 'sqlite'] as const) {
        const text = compiled(dialect, a);
        assert.equal(compiled(dialect, b), text);
        if (text === undefined) continue;
        const cache = new CompileCache(compilers[dialect]);
        cache.get(a);
        const own = compilers[dialect].compile(b).bind(b);
        const { params, sets } = cache.get(b).bind(b);
        assert.deepEqual([params, sets], [own.params, own.sets]);
        assert.deepEqual(cache.counts, { hits: 1, misses: 1 });
        // Every value is another one: none was left behind from the first statement.
        if (sets === undefined) assert.equal(params.length, cache.get(a).bind(a).params.length);
      }
    }),
    runs,
  );
});

test('statements with different texts, binds or results never share a key', () => {
  const seen: Record<Dialect, Map<string, string | undefined>> = { postgresql: new Map(), sqlite: new Map() };
  let distinct = 0;
  fc.assert(
    fc.property(statement, (shape) => {
      const node = statementNode(shape(counter(0)));
      for (const dialect of ['postgresql', 'sqlite'] as const) {
        const made = compiled(dialect, node);
        if (seen[dialect].has(node.key)) assert.equal(seen[dialect].get(node.key), made);
        else if (made !== undefined) distinct += 1;
        seen[dialect].set(node.key, made);
      }
    }),
    { ...runs, numRuns: 1500 },
  );
  assert.ok(distinct > 800, `only ${distinct} different statements were drawn`);
});

test('near misses: pairs that differ in one thing have different keys', () => {
  const { id, name, email } = users.c;
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [select(id, name), select(name, id)],
    [select(id), select({ key: id })],
    [select({ a: id, b: name }), select({ b: id, a: name })],
    [select(id.label('ab'), name.label('c')), select(id.label('a'), name.label('bc'))],
    [select(sql`a${1}b`), select(sql`a${1}`, sql`b`)],
    [select(sql`${1}`), select(sql`${'1'}`)],
    [select(literal(1)), select(literal(1.5))],
    [select(id).where(email.in(['a'])), select(id).where(email.notIn(['a']))],
    [select(id).where(or(id.eq(1), and(id.eq(2), id.eq(3)))), select(id).where(and(or(id.eq(1), id.eq(2)), id.eq(3)))],
    [select(id).orderBy(id), select(id).groupBy(id)],
    [
      select(id.label('x'), name.label('y')).orderBy(email.label('x')),
      select(id.label('x'), name.label('y')).orderBy(email.label('y')),
    ],
    [
      select(id).where(users.c.settings.path('theme').eq('a'), u2.c.id.eq(1)),
      select(id).where(u2.c.settings.path('theme').eq('a'), u2.c.id.eq(1)),
    ],
    [select(id).limit(1), select(id).offset(1)],
    [select(id).distinct(), select(id).distinct(id)],
    [select(id).union(select(name as never)), select(id).unionAll(select(name as never))],
    [select(id).join(orders), select(id).outerJoin(orders)],
    [select(id).forUpdate({ nowait: true }), select(id).forUpdate({ skipLocked: true })],
    [select(alias(users, 'a').c.id), select(alias(users, 'b').c.id)],
    [select(id).selectFrom(orders), select(id).where(orders.c.id.isNull())],
    [insert(users).values({ name: 'a' }), insert(users).values([{ name: 'a' }, { name: 'b' }])],
    [
      insert(users).values({ name: 'a' }).onConflictDoNothing(),
      insert(users).values({ name: 'a' }).onConflictDoNothing([id]),
    ],
    [update(users).set({ name: 'a' }).everyRow(), update(users).set({ email: 'a' }).everyRow()],
    [func.count(), func.count(id)].map((e) => select(e).selectFrom(users)) as [unknown, unknown],
  ];
  pairs.forEach(([a, b], index) => assert.notEqual(statementNode(a).key, statementNode(b).key, `pair ${index}`));
});

test('which of two subqueries of the same shape stands where is part of the shape', () => {
  const of = (value: bigint) => select(orders.c.userId).where(orders.c.id.eq(value)).subquery('s');
  const [one, two] = [of(1n), of(2n)];
  const build = (a: typeof one, b: typeof one) =>
    select(users.c.id).where(exists(select(a.c.userId).selectFrom(a)), exists(select(b.c.userId).selectFrom(b)));
  const [same, different] = [statementNode(build(one, one)), statementNode(build(one, two))];
  assert.notEqual(same.key, different.key);
  const cache = new CompileCache(compilers.postgresql);
  assert.deepEqual(cache.get(same).bind(same).params, [1n, 1n]);
  assert.deepEqual(cache.get(different).bind(different).params, [1n, 2n]);
});

test('a statement is frozen, and says which tables it touches', () => {
  const node = statementNode(
    select(users.c.id).where(exists(select(orders.c.id).where(orders.c.userId.eq(users.c.id)))),
  );
  assert.ok(Object.isFrozen(node));
  assert.deepEqual(node.tables?.map((one) => one.name).sort(), ['orders', 'users']);
  assert.deepEqual(
    statementNode(select(select(addresses.c.id).subquery('s').c.id)).tables?.map((one) => one.name),
    ['addresses'],
  );
  assert.deepEqual(
    statementNode(
      update(users)
        .set({ name: 'x' })
        .where(users.c.id.in(select(addresses.c.userId))),
    ).tables?.map((one) => one.name),
    ['users', 'addresses'],
  );
  assert.equal(statementNode(select(sql`1`)).tables, undefined);
  assert.equal(statementNode(sql`select 1`).tables, undefined);
});

test('the cache forgets what was used longest ago', () => {
  const cache = new CompileCache(compilers.postgresql, 2);
  const nodes = ['a', 'b', 'c'].map((name) => statementNode(select(users.c.id.label(name))));
  const [a, b, c] = nodes as [StatementNode, StatementNode, StatementNode];
  const first = cache.get(a);
  cache.get(b);
  assert.equal(cache.get(a), first);
  cache.get(c);
  assert.equal(cache.get(a), first);
  cache.get(b);
  assert.deepEqual(cache.counts, { hits: 2, misses: 4 });
});
