/* oxlint-disable no-unused-expressions -- compiled, never run */
// The founding programme and the 12-entity model on one page, as the guide shows them.
import {
  declarativeBase,
  integer,
  text,
  bigint,
  double,
  timestamptz,
  json,
  enumOf,
  fk,
  derived,
  unique,
  one,
  many,
  maybe,
  select,
  insert,
  update,
  alias,
  func,
  selectinload,
  joinedload,
  createEngine,
  sessionmaker,
  customType,
} from '../../src/index.ts';
interface Settings {
  theme: 'dark' | 'light';
  pageSize: number;
}
const money = customType<{ cents: number }, string>({
  sql: 'numeric',
  encode: (m) => String(m.cents),
  decode: (s) => ({ cents: Number(s) }),
});
export const timestamps = {
  // mixin = an object to spread
  createdAt: timestamptz().default(func.now()),
  updatedAt: timestamptz().default(func.now()).onUpdate(func.now()),
};
export class Base extends declarativeBase() {
  describe() {
    return this.constructor.name;
  }
} // behaviour for all

export class Tenant extends Base.table('tenants', {
  id: integer().primaryKey().brand<'TenantId'>(),
  name: text(),
  length: integer().default(0),
  users: many(() => User),
}) {}

export class User extends Base.table(
  'users',
  {
    id: integer().primaryKey(),
    name: text(),
    surname: text(),
    email: text().unique().nullable(),
    status: enumOf('user_status', ['active', 'blocked']).default('active'),
    settings: json<Settings>().default({ theme: 'dark', pageSize: 20 }),
    tenantId: fk(() => Tenant.c.id).nullable(), // type AND brand come from the target
    defaultAddressId: fk(() => Address.c.id, { onDelete: 'set null' }).nullable(), // mutual FK
    ...timestamps,
    orderCount: derived<number>(() =>
      select(func.count()).selectFrom(Order).where(Order.c.userId.eq(User.c.id)).scalar(),
    ),
    addresses: many(() => Address, { by: () => Address.c.userId }),
    orders: many(() => Order),
    tenant: maybe(() => Tenant),
  },
  {
    constraints: (t) => [unique(t.tenantId, t.email)],
    hybrids: (u) => ({ fullName: u.name.concat(' ', u.surname) }), // SQL half of the hybrid → User.c.fullName
  },
) {
  get fullName() {
    return `${this.name} ${this.surname}`;
  } // JS half: a plain getter
}
export class Address extends Base.table('addresses', {
  id: integer().primaryKey(),
  street: text(),
  city: text().nullable(),
  userId: fk(() => User.c.id),
  user: one(() => User),
}) {}
export class Order extends Base.table('orders', {
  id: integer().primaryKey(),
  userId: fk(() => User.c.id),
  total: money(),
  note: text().nullable(),
  ...timestamps,
  user: one(() => User),
  items: many(() => OrderItem, { cascade: 'all, delete-orphan' }),
}) {}
export class OrderItem extends Base.table('order_items', {
  // composite key
  orderId: fk(() => Order.c.id, { onDelete: 'cascade' }).primaryKey(),
  productId: fk(() => Product.c.id).primaryKey(),
  quantity: integer().default(1),
  unitPrice: double(),
  order: one(() => Order),
  product: one(() => Product),
}) {}
export class Category extends Base.table('categories', {
  id: integer().primaryKey(),
  title: text(),
  parentId: fk(() => Category.c.id).nullable(),
  parent: maybe(() => Category, { remote: () => Category.c.id }),
  children: many(() => Category, { by: () => Category.c.parentId }),
  products: many(() => Product),
}) {}
export class ProductTag extends Base.table('product_tags', {
  productId: fk(() => Product.c.id).primaryKey(),
  tagId: fk(() => Tag.c.id).primaryKey(),
}) {}
export class Tag extends Base.table('tags', {
  id: integer().primaryKey(),
  label: text().unique(),
  products: many(() => Product, { through: () => ProductTag }),
}) {}
export class Product extends Base.table('products', {
  id: integer().primaryKey(),
  name: text(),
  price: double(),
  categoryId: fk(() => Category.c.id),
  category: one(() => Category),
  tags: many(() => Tag, { through: () => ProductTag }),
  items: many(() => OrderItem),
}) {}
export class Employee extends Base.table(
  'employees',
  {
    id: integer().primaryKey(),
    kind: enumOf('employee_kind', ['employee', 'manager', 'engineer']).default('employee'),
    name: text(),
    managerId: fk(() => Manager.c.id).nullable(),
    manager: maybe(() => Manager),
  },
  { discriminator: 'kind', identity: 'employee', subclasses: () => [Manager, Engineer] },
) {
  badge() {
    return `#${this.id}`;
  }
}
export class Manager extends Employee.joined(
  'managers',
  { budget: integer(), reports: many(() => Employee, { by: () => Employee.c.managerId }) },
  { identity: 'manager' },
) {
  override badge() {
    return `M${super.badge()} ${this.budget}`;
  }
}
export class Engineer extends Employee.single('engineer', { language: text().nullable() }) {}
export class Document extends Base.table('documents', {
  id: bigint().primaryKey(),
  body: text(),
  version: integer().version(),
  ownerId: fk(() => User.c.id),
  owner: one(() => User),
}) {}

const session = sessionmaker({ bind: createEngine('') })();
declare const user: User, a: Address, t: Tenant;
await session.scalars(select(User).where(User.c.name.like('a%')).orderBy(User.c.name)).all(); // User[]
await session.execute(select(User.c.id, User.c.name)); // { id: number; name: string }[]   (await = all rows)
await session.execute(select(User.c.id, User.c.name)).tuples(); // [number, string][]
await session.execute(select(User, func.count(Address.c.id).label('n')).outerJoin(User.c.addresses).groupBy(User.c.id));
// { users: User; n: number }[]; .tuples(): [User, number][]
await session.execute(select({ user: User, city: Address.c.city }).outerJoin(User.c.addresses)).one(); // { user: User; city: string | null }
await session.execute(select(User.c.name, Address).outerJoin(Address, Address.c.userId.eq(User.c.id))).first(); // {name; addresses: Address | null} | null
await session.get(OrderItem, { orderId: 1, productId: 2 }); // OrderItem | null; half a key or a plain number for TenantId: error
const u = await session
  .scalars(
    select(User).options(selectinload(User.c.orders, selectinload(Order.c.items, joinedload(OrderItem.c.product)))),
  )
  .one();
u.orders.flatMap((o) => o.items.map((i) => i.product.name)); // loaded: plain arrays and objects, any depth
(await user.addresses).length;
user.addresses.add(a);
user.tenant = t; // not loaded: await, add, assign; `user.addresses.length` is an error
select(Product).where(Product.c.tags.any(Tag.c.label.eq('red'))); // many-to-many EXISTS
const p = alias(Category, 'p');
select({ t: Category.c.title, p: p.c.title }).outerJoin(p, p.c.id.eq(Category.c.parentId)); // p: string | null
const s = select(Order.c.userId, func.sum(OrderItem.c.quantity).label('qty'))
  .join(Order.c.items)
  .groupBy(Order.c.userId)
  .subquery('s');
s.c.qty; // number | null
select(Category.c.id)
  .where(Category.c.parentId.isNull())
  .recursive('tree', (t) => select(Category.c.id).join(t, Category.c.parentId.eq(t.c.id)));
select(
  Order.c.id,
  func
    .rowNumber()
    .over({ partitionBy: [Order.c.userId], orderBy: [Order.c.createdAt.desc()] })
    .label('rn'),
);
await session
  .execute(
    insert(User)
      .values([{ name: 'a', surname: 'b' }])
      .returning(User.c.id, User.c.createdAt),
  )
  .one(); // { id: number; createdAt: Date }
await session.execute(
  update(Product)
    .set({ price: Product.c.price.times(1.1) })
    .everyRow(),
); // neither .where nor .everyRow: does not compile
for (const e of await session.scalars(select(Employee))) if (e instanceof Manager) e.budget; // native narrowing
