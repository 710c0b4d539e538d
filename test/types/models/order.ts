// Orders with items: a custom type and a composite key.
import { integer, text, fk, one, many, customType, double } from '../../../src/index.ts';
import { Base, timestamps } from './base.ts';
import { User } from './user.ts';
import { Product } from './product.ts';
export class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  static zero = new Money(0);
  get euros() {
    return this.cents / 100;
  }
}
const money = customType<Money, string>({
  sql: 'numeric(12,2)',
  encode: (m) => String(m.cents / 100),
  decode: (s) => new Money(Math.round(Number(s) * 100)),
});

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
  orderId: fk(() => Order.c.id, { onDelete: 'cascade' }).primaryKey(),
  productId: fk(() => Product.c.id).primaryKey(),
  quantity: integer().default(1),
  unitPrice: double(),
  order: one(() => Order),
  product: one(() => Product),
}) {}
