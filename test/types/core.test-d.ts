// The types of plain tables, expressions and statements: what compiles, what does not, and which rows come out.
import {
  array,
  bigint,
  boolean,
  bytea,
  customType,
  double,
  enumOf,
  fk,
  integer,
  json,
  MetaData,
  numeric,
  table,
  text,
  timestamptz,
  unique,
  uuid,
} from '../../src/schema/index.ts';
import {
  alias,
  and,
  caseWhen,
  deleteFrom,
  exists,
  type Expr,
  type FirstOf,
  func,
  insert,
  type InsertValues,
  literal,
  type NamedOf,
  or,
  select,
  sql,
  type Statement,
  type TupleOf,
  update,
} from '../../src/sql/index.ts';
import { type Equal, is } from './equal.ts';

interface Settings {
  theme: 'dark' | 'light';
  pageSize: number;
}
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
const money = customType<Money, string>({
  sql: 'numeric(12,2)',
  encode: (m) => String(m.cents / 100),
  decode: (s) => new Money(Number(s) * 100),
});

const metadata = new MetaData();
const tenants = table('tenants', metadata, { id: integer().primaryKey().brand<'TenantId'>(), name: text() });
const users = table(
  'users',
  metadata,
  {
    id: integer().primaryKey(),
    name: text(),
    email: text().unique().nullable(),
    status: enumOf('user_status', ['active', 'blocked']).default('active'),
    settings: json<Settings>().default({ theme: 'dark', pageSize: 20 }),
    tenantId: fk(() => tenants.c.id).nullable(),
    createdAt: timestamptz().default(func.now()),
  },
  { constraints: (t) => [unique(t.tenantId, t.email)] },
);
const addresses = table('addresses', metadata, {
  id: integer().primaryKey(),
  street: text(),
  city: text().nullable(),
  userId: fk(() => users.c.id),
});
const orders = table('orders', metadata, {
  id: bigint().primaryKey(),
  userId: fk(() => users.c.id),
  total: money(),
  placedAt: timestamptz({ as: 'string' }),
  version: integer().version(),
});
const wide = table('wide', metadata, {
  a: bigint({ mode: 'number' }),
  b: bigint({ mode: 'string' }),
  c: boolean(),
  d: numeric(5, 2),
  e: double(),
  f: uuid(),
  g: bytea(),
  h: array(text()),
  i: integer().computed(() => sql<number>`1`),
});

/** The row an executed statement gives, by name, by position, and its first value. */
declare function rowOf<A, N, L>(q: Statement<A, N, L, true>): NamedOf<A, N, L>;
declare function tupleOf<A, N, L>(q: Statement<A, N, L, true>): TupleOf<A, N, L>;
declare function firstOf<A, N, L>(q: Statement<A, N, L, true>): FirstOf<A, N, L>;

// ── columns
const row = rowOf(select(users)).users;
is<Equal<typeof row.id, number>>();
is<Equal<typeof row.email, string | null>>();
is<Equal<typeof row.status, 'active' | 'blocked'>>();
is<Equal<typeof row.settings, Settings>>();
is<Equal<typeof row.createdAt, Date>>();
const tenant = rowOf(select(tenants)).tenants;
is<Equal<typeof row.tenantId, typeof tenant.id | null>>();
const w = rowOf(select(wide)).wide;
is<
  Equal<
    typeof w,
    { a: number; b: string; c: boolean; d: string; e: number; f: string; g: Uint8Array; h: string[]; i: number }
  >
>();
const o = rowOf(select(orders)).orders;
is<Equal<typeof o, { id: bigint; userId: number; total: Money; placedAt: string; version: number }>>();

// ── expressions
users.c.name.like('a%');
// @ts-expect-error like on a number
users.c.id.like('a%');
// @ts-expect-error plus on text
users.c.name.plus('a');
// @ts-expect-error wrong operand type
users.c.id.eq('1');
// @ts-expect-error null needs isNull()
users.c.email.eq(null);
// @ts-expect-error no such column
void users.c.nope;
// @ts-expect-error a plain number is no TenantId
users.c.tenantId.eq(5);
users.c.tenantId.eq(tenants.c.id);
users.c.settings.path('theme').eq('dark');
// @ts-expect-error wrong value of a JSON member
users.c.settings.path('theme').eq('red');
// @ts-expect-error no such member
users.c.settings.path('nope');
users.c.status.in(['active']);
// @ts-expect-error not one of the values
users.c.status.in(['x']);
orders.c.id.gt(1n);
// @ts-expect-error bigint, not number
orders.c.id.gt(1);
orders.c.total.gt(new Money(1));
is<Equal<ReturnType<typeof users.c.email.isNull>, Expr<boolean>>>();
const lengthOfEmail = func.length(users.c.email);
is<Equal<NamedOf<[typeof lengthOfEmail], never, never>, { length: number | null }>>();
const sumOfBigint = func.sum(orders.c.id);
is<Equal<NamedOf<[typeof sumOfBigint], never, never>, { sum: string | null }>>();
const average = func.avg(users.c.id);
is<Equal<NamedOf<[typeof average], never, never>, { avg: string | null }>>();
const cast = users.c.email.cast(integer());
is<Equal<typeof cast, Expr<number | null>>>();
const one = literal(1);
is<Equal<typeof one, Expr<1>>>();
const cased = caseWhen([[users.c.id.gt(1), 'a' as const]], 'b' as const);
is<Equal<typeof cased, Expr<'a' | 'b'>>>();

// ── selects
is<Equal<ReturnType<typeof q1>, { id: number; name: string }>>();
declare function q1(): ReturnType<typeof byName>;
const byName = (): { id: number; name: string } => rowOf(select(users.c.id, users.c.name));
const byPosition = tupleOf(select(users.c.id, users.c.name));
is<Equal<typeof byPosition, [number, string]>>();
const first = firstOf(select(users.c.name, users.c.id));
is<Equal<typeof first, string>>();
const named = rowOf(
  select({ user: users, n: func.count(addresses.c.id), city: addresses.c.city }).outerJoin(addresses),
);
is<Equal<typeof named.n, number>>();
is<Equal<typeof named.city, string | null>>();
const inner = rowOf(select(users.c.name, addresses.c.street).join(addresses));
is<Equal<typeof inner, { name: string; street: string }>>();
const outer = rowOf(select(users.c.name, addresses.c.street).outerJoin(addresses, addresses.c.userId.eq(users.c.id)));
is<Equal<typeof outer, { name: string; street: string | null }>>();
const boss = alias(users, 'boss');
const aliased = rowOf(select({ name: users.c.name, boss: boss.c.name }).outerJoin(boss, boss.c.id.eq(users.c.id)));
is<Equal<typeof aliased, { name: string; boss: string | null }>>();
const sub = select(orders.c.userId, func.max(orders.c.placedAt).label('last')).groupBy(orders.c.userId).subquery('s');
const fromSub = rowOf(select(users.c.name, sub.c.last).join(sub, sub.c.userId.eq(users.c.id)));
is<Equal<typeof fromSub, { name: string; last: string | null }>>();
// @ts-expect-error the subquery has no such column
void sub.c.placedAt;
const tree = select(users.c.id)
  .where(users.c.email.isNull())
  .recursive('tree', (t) => select(users.c.id).join(t, users.c.id.eq(t.c.id)));
const walked = rowOf(select(tree.c.id));
is<Equal<typeof walked, { id: number }>>();
const ranked = rowOf(
  select(
    func
      .rowNumber()
      .over({ partitionBy: [users.c.name], orderBy: [users.c.id.desc()] })
      .label('rn'),
  ),
);
is<Equal<typeof ranked, { rn: number }>>();
const latest = select(func.max(users.c.createdAt)).where(users.c.id.eq(1)).scalar();
const withLatest = rowOf(select({ id: users.c.id, latest }));
is<Equal<typeof withLatest, { id: number; latest: Date | null }>>();
select(users).where(
  exists(select(orders).where(orders.c.userId.eq(users.c.id))),
  users.c.id.in(select(addresses.c.userId)),
);
select(users).where(undefined, and(users.c.id.gt(1), undefined), or());
select(users).orderBy(users.c.name, users.c.id.desc().nullsLast()).limit(1).offset(2).forUpdate({ skipLocked: true });
// @ts-expect-error a condition is boolean
select(users).where(users.c.name);
// @ts-expect-error no text in ORDER BY
select(users).orderBy('name');
// @ts-expect-error no text in LIMIT
select(users).limit('1');
// @ts-expect-error unknown lock
select(users).forUpdate({ mode: 'exclusive' });
// one type through conditional building
let q = select(orders);
if (Math.random() > 0.5) q = q.where(orders.c.userId.gt(1));
is<Equal<typeof q, ReturnType<typeof q.limit>>>();

// ── raw SQL, as a part and as a statement
const raw = rowOf(sql<{ id: number; name: string | null }>`select id, name from ${users}`);
is<Equal<typeof raw, { id: number; name: string | null }>>();
const part = rowOf(select({ id: users.c.id, n: sql<number>`1` }).where(sql<boolean>`true`));
is<Equal<typeof part, { id: number; n: number }>>();
const computed = sql<number>`1`.plus(2);
is<Equal<typeof computed, Expr<number>>>();

// ── writes
is<Equal<InsertValues<typeof addresses>, { street: string; userId: number; id?: number; city?: string | null }>>();
insert(users).values({ name: 'a' });
insert(users).values([{ name: 'a', email: null, status: 'blocked' }, { name: 'b' }]);
// @ts-expect-error name is missing
insert(users).values({ email: 'x' });
// @ts-expect-error no such column
insert(users).values({ name: 'a', nope: 1 });
// @ts-expect-error wrong enum value
insert(users).values({ name: 'a', status: 'x' });
const returned = rowOf(insert(users).values({ name: 'a' }).returning(users.c.id, users.c.createdAt));
is<Equal<typeof returned, { id: number; createdAt: Date }>>();
insert(users)
  .values({ name: 'a' })
  .onConflictDoUpdate({ target: [users.c.email], set: (x) => ({ name: x.name }) });
const upsert = insert(users).values({ name: 'a' });
// @ts-expect-error wrong type in the update
upsert.onConflictDoUpdate({ target: [users.c.email], set: (x) => ({ name: x.id }) });
// @ts-expect-error update without where
rowOf(update(users).set({ name: 'x' }));
// @ts-expect-error delete without where
rowOf(deleteFrom(users));
rowOf(update(users).set({ name: 'x', email: null, createdAt: func.now() }).everyRow());
rowOf(deleteFrom(users).where(users.c.id.eq(1)));
// @ts-expect-error wrong value type
update(users).set({ name: 1 });
// @ts-expect-error computed columns are not set
update(wide).set({ i: 1 });
const updated = rowOf(
  update(users)
    .set({ name: users.c.name.concat('!') })
    .where(users.c.id.eq(1))
    .returning(users.c.name),
);
is<Equal<typeof updated, { name: string }>>();
