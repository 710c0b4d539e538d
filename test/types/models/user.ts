// Users, with hybrids, a derived field and defaults of every kind.
import { integer, text, json, enumOf, fk, derived, unique, many, maybe, select, func } from '../../../src/index.ts';
import { Base, timestamps } from './base.ts';
import { Address } from './address.ts';
import { Order } from './order.ts';
import { Tenant } from './tenant.ts';

export interface Settings {
  theme: 'dark' | 'light';
  pageSize: number;
}

export class User extends Base.table(
  'users',
  {
    id: integer().primaryKey(),
    name: text(),
    surname: text(),
    email: text().unique().nullable(),
    status: enumOf('user_status', ['active', 'blocked']).default('active'),
    settings: json<Settings>().default({ theme: 'dark', pageSize: 20 }),
    tenantId: fk(() => Tenant.c.id).nullable(), // type and brand come from Tenant.id
    defaultAddressId: fk(() => Address.c.id, { onDelete: 'set null' }).nullable(), // mutual FK with Address
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
    hybrids: (u) => ({ fullName: u.name.concat(' ', u.surname) }),
  },
) {
  get fullName() {
    return `${this.name} ${this.surname}`;
  }
  greet() {
    return `hi ${this.name}, ${this.email?.length ?? 0}`;
  }
}
