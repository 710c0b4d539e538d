/* oxlint-disable no-unused-expressions, typescript/no-floating-promises -- assertions about types are compiled, never run */
// What instances, constructors, expressions and rows of entities are typed as, and what does not compile.
import { type Equal, type Same, is } from './equal.ts';
import {
  select,
  insert,
  update,
  deleteFrom,
  alias,
  func,
  exists,
  selectinload,
  joinedload,
  createEngine,
  sessionmaker,
  assign,
  isLoaded,
  sql,
  caseWhen,
  type Lazy,
  type LazyList,
  type LoadedList,
} from '../../src/index.ts';
import {
  User,
  Address,
  Tenant,
  Order,
  OrderItem,
  Product,
  Category,
  Tag,
  Employee,
  Manager,
  Engineer,
  Document,
  Money,
  type Settings,
} from './models/index.ts';

const engine = createEngine('postgresql://localhost/db');
const Session = sessionmaker({ bind: engine });
await using session = Session();

// ── instance fields
declare const user: User;
is<Equal<typeof user.id, number>>();
is<Equal<typeof user.email, string | null>>();
is<Equal<typeof user.status, 'active' | 'blocked'>>();
is<Equal<typeof user.settings, Settings>>();
is<Equal<typeof user.createdAt, Date>>();
is<Equal<typeof user.addresses, LazyList<Address>>>();
is<Equal<typeof user.tenant, Lazy<Tenant | null>>>();
is<Equal<typeof user.fullName, string>>();
user.greet();
user.describe();

declare const tenant: Tenant;
is<Equal<typeof user.tenantId, Tenant['id'] | null>>();
is<Equal<typeof user.orderCount, number>>();
user.tenantId = tenant.id;
// @ts-expect-error a plain number is not a TenantId
user.tenantId = 5;
// ── constructor
new User({ name: 'a', surname: 'b' });
new User({
  name: 'a',
  surname: 'b',
  email: null,
  status: 'blocked',
  addresses: [new Address({ street: 's', userId: 1 })],
});
// @ts-expect-error surname missing
new User({ name: 'a' });
// @ts-expect-error wrong enum
new User({ name: 'a', surname: 'b', status: 'x' });
// @ts-expect-error unknown column
new User({ name: 'a', surname: 'b', nope: 1 });
// @ts-expect-error composite keys made of foreign keys are required
new OrderItem({ orderId: 1, unitPrice: 1 });
new OrderItem({ orderId: 1, productId: 2, unitPrice: 1 });
new Address({ street: 's', user });
// @ts-expect-error neither userId nor user
new Address({ street: 's' });

// ── expressions
User.c.name.like('a%');
Tenant.c.length.gt(1);
Tenant.c.name.eq('x');
// @ts-expect-error like on a number
User.c.id.like('a%');
// @ts-expect-error wrong operand type
User.c.id.eq('1');
// @ts-expect-error null needs isNull()
User.c.email.eq(null);
// @ts-expect-error no such column
User.c.nope;
User.c.settings.path('theme').eq('dark');
// @ts-expect-error bad json value
User.c.settings.path('theme').eq('red');

// 1. entities
const q1 = await session
  .scalars(select(User).where(User.c.name.like('a%'), User.c.email.isNotNull()).orderBy(User.c.name))
  .all();
is<Equal<typeof q1, User[]>>();
// 2. columns, named and by position
const q2 = await session.execute(select(User.c.id, User.c.name));
is<Equal<typeof q2, { id: number; name: string }[]>>();
const q2t = await session.execute(select(User.c.id, User.c.name)).tuples();
is<Equal<typeof q2t, [number, string][]>>();
// 3. entity plus aggregate
const q3 = select(User, func.count(Address.c.id).label('n')).outerJoin(User.c.addresses).groupBy(User.c.id);
for (const { users, n } of await session.execute(q3)) {
  is<Equal<typeof users, User>>();
  is<Equal<typeof n, number>>();
}
for (const [u, n] of await session.execute(q3).tuples()) {
  is<Equal<typeof u, User>>();
  is<Equal<typeof n, number>>();
}
// 4. object form
const q4 = await session
  .execute(
    select({ user: User, n: func.count(Address.c.id), city: Address.c.city })
      .outerJoin(User.c.addresses)
      .groupBy(User.c.id),
  )
  .one();
is<Equal<typeof q4, { user: User; n: number; city: string | null }>>();
// 5. outer join makes columns nullable
const q5 = await session
  .execute(select(User.c.name, Address.c.street, Address).outerJoin(Address, Address.c.userId.eq(User.c.id)))
  .first();
is<Equal<typeof q5, { name: string; street: string | null; addresses: Address | null } | null>>();
const q5b = await session.execute(select(User.c.name, Address.c.street).join(User.c.addresses)).one();
is<Equal<typeof q5b, { name: string; street: string }>>();
// 6. get, scalar and composite keys
const g = await session.get(User, 1);
is<Equal<typeof g, User | null>>();
const gi = await session.get(OrderItem, { orderId: 1, productId: 2 });
is<Equal<typeof gi, OrderItem | null>>();
// @ts-expect-error wrong key type
await session.get(User, 'x');
// @ts-expect-error half a key
await session.get(OrderItem, { orderId: 1 });
// @ts-expect-error branded key
await session.get(Tenant, 1);
// 7. lazy relation: misuse is an error, await is right
// @ts-expect-error not loaded
user.addresses.length;
// @ts-expect-error not loaded
for (const a of user.addresses) a;
// @ts-expect-error not loaded
user.tenant?.name;
const as = await user.addresses;
is<Equal<typeof as, LoadedList<Address>>>();
const te = await user.tenant;
is<Equal<typeof te, Tenant | null>>();
if (isLoaded(user.addresses)) {
  user.addresses.length;
}
user.tenant = new Tenant({ name: 't' });
user.tenant = null;
user.addresses.add(new Address({ street: 's', userId: 1 }));
assign(user, { addresses: [] });
// @ts-expect-error wrong entity
user.tenant = new Address({ street: 's', userId: 1 });
// @ts-expect-error a loaded list is read-only
as.push(new Address({ street: 's', userId: 1 }));
as.add(new Address({ street: 's', userId: 1 }));
// 8. loaded relation
const u8 = await session
  .scalars(select(User).where(User.c.id.eq(1)).options(selectinload(User.c.addresses), joinedload(User.c.tenant)))
  .one();
is<Same<typeof u8.addresses, readonly Address[] & LazyList<Address>>>();
u8.addresses.map((a) => a.street);
for (const a of u8.addresses) a.city;
is<Equal<typeof u8.tenant, Tenant | null>>();
const asUser: User = u8;
void asUser;
const takesUser = (u: User) => u;
takesUser(u8);
// 9. nested
const u9 = await session
  .scalars(
    select(User).options(
      selectinload(
        User.c.orders,
        selectinload(Order.c.items, joinedload(OrderItem.c.product, selectinload(Product.c.tags))),
      ),
    ),
  )
  .first();
u9!.orders[0]!.items[0]!.product.tags[0]!.label;
for (const o of u9!.orders) for (const i of o.items) i.product.tags.map((t) => t.label.length);
u9!.orders.flatMap((o) => o.items.map((i) => i.product.name));
// @ts-expect-error order.user not loaded
u9!.orders[0]!.user.name;
// @ts-expect-error nested option of the wrong entity
selectinload(User.c.orders, selectinload(Address.c.user));
// 10. many-to-many, self reference, exists
const q10 = await session
  .scalars(
    select(Product)
      .where(Product.c.tags.any(Tag.c.label.eq('red')))
      .options(selectinload(Product.c.tags)),
  )
  .all();
q10[0]!.tags[0]!.label;
const parent = alias(Category, 'parent');
const q10b = await session.execute(
  select({ t: Category.c.title, p: parent.c.title, e: parent }).outerJoin(parent, parent.c.id.eq(Category.c.parentId)),
);
is<Equal<typeof q10b, { t: string; p: string | null; e: Category | null }[]>>();
// 11. subquery, CTE, recursive, window
const sub = select(Order.c.userId, func.sum(OrderItem.c.quantity).label('qty'))
  .join(Order.c.items)
  .groupBy(Order.c.userId)
  .subquery('s');
const q11 = await session.execute(
  select(User.c.name, sub.c.qty).join(sub, sub.c.userId.eq(User.c.id)).where(sub.c.qty.gt(3)),
);
is<Equal<typeof q11, { name: string; qty: number | null }[]>>();
const tree = select(Category.c.id, Category.c.title)
  .where(Category.c.parentId.isNull())
  .recursive('tree', (t) => select(Category.c.id, Category.c.title).join(t, Category.c.parentId.eq(t.c.id)));
const q11b = await session.execute(select(tree.c.id, tree.c.title));
is<Equal<typeof q11b, { id: number; title: string }[]>>();
const q11c = await session.execute(
  select(
    Order.c.id,
    func
      .rowNumber()
      .over({ partitionBy: [Order.c.userId], orderBy: [Order.c.createdAt.desc()] })
      .label('rn'),
  ),
);
is<Equal<typeof q11c, { id: number; rn: number }[]>>();
select(User).where(exists(select(Order).where(Order.c.userId.eq(User.c.id))), User.c.id.in(select(Address.c.userId)));
const latest = select(func.max(Order.c.createdAt)).where(Order.c.userId.eq(User.c.id)).scalar();
const q11d = await session.execute(select({ id: User.c.id, latest })).one();
is<Equal<typeof q11d, { id: number; latest: Date | null }>>();
// 12. DML with returning
const i1 = await session
  .execute(
    insert(User)
      .values([{ name: 'a', surname: 'b' }])
      .returning(User.c.id, User.c.createdAt),
  )
  .one();
is<Equal<typeof i1, { id: number; createdAt: Date }>>();
const i2 = await session
  .scalars(update(User).set({ name: 'x', tenantId: null }).where(User.c.id.eq(1)).returning(User))
  .all();
is<Equal<typeof i2, User[]>>();
// @ts-expect-error update without where
session.execute(update(User).set({ name: 'x' }));
await session.execute(
  update(Product)
    .set({ price: Product.c.price.times(1.1) })
    .everyRow(),
);
await session.execute(deleteFrom(User).where(User.c.id.eq(1)).returning(User.c.email)).first();
// @ts-expect-error wrong value type
update(User).set({ name: 1 });
insert(Tag)
  .values({ label: 'a' })
  .onConflictDoUpdate({ target: [Tag.c.label], set: (x) => ({ label: x.label }) });
// 13. inheritance
const es = await session.scalars(select(Employee)).all();
is<Equal<typeof es, Employee[]>>();
for (const e of es) {
  e.badge();
  if (e instanceof Manager) {
    e.budget;
    (await e.reports)[0]!.badge();
  }
  if (e instanceof Engineer) e.language;
}
const m = new Manager({ name: 'm', budget: 1 });
m.badge();
m.id;
m.budget = 2;
// @ts-expect-error budget missing
new Manager({ name: 'm' });
const ms = await session
  .scalars(
    select(Manager).where(Manager.c.budget.gt(3), Manager.c.name.like('a%')).options(selectinload(Manager.c.reports)),
  )
  .all();
ms[0]!.reports[0]!.badge();
// 14. hybrids, custom types
const h = await session.execute(select(User.c.fullName).where(User.c.fullName.like('A%'))).one();
is<Equal<typeof h, { fullName: string }>>();
const o = await session.getOne(Order, 1);
o.total.euros;
Order.c.total.gt(Money.zero);
// 15. unit of work, server-side assignment
const p = await session.getOne(Product, 1);
p.price += 1;
assign(p, { price: Product.c.price.plus(1), name: 'n' });
// @ts-expect-error wrong type
assign(p, { price: Product.c.name });
// @ts-expect-error not a column
assign(p, { nope: 1 });
await session.commit();
const d = await session.get(Document, 1n, { load: [joinedload(Document.c.owner)] });
d?.owner.greet();
const raw = await session
  .execute(select({ one: sql<number>`1`, c: caseWhen([[User.c.id.gt(1), 'a' as const]], 'b' as const) }))
  .one();
is<Equal<typeof raw, { one: number; c: 'a' | 'b' }>>();
