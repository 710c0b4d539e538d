// A small shop as plain tables: what the tests of statements and schemas select from.
import {
  bigint,
  boolean,
  bytea,
  double,
  enumOf,
  fk,
  integer,
  json,
  numeric,
  text,
  timestamptz,
  uuid,
  varchar,
} from '../../../src/schema/columns.ts';
import { unique } from '../../../src/schema/constraint.ts';
import { MetaData } from '../../../src/schema/metadata.ts';
import { table } from '../../../src/schema/table.ts';
import { func } from '../../../src/sql/functions.ts';

export interface Settings {
  readonly theme: string;
  readonly size: number;
}

export const metadata: MetaData = new MetaData();

export const users = table(
  'users',
  metadata,
  {
    id: integer().primaryKey(),
    name: text(),
    email: text().unique().nullable(),
    status: enumOf('user_status', ['active', 'blocked']).default('active'),
    settings: json<Settings>().default({ theme: 'dark', size: 1 }),
    managerId: integer()
      .nullable()
      .references(() => users.c.id),
    defaultAddressId: integer()
      .nullable()
      .references(() => addresses.c.id, { onDelete: 'set null' }),
    createdAt: timestamptz().default(func.now()),
  },
  { constraints: (t) => [unique(t.name, t.email)] },
);

export const addresses = table('addresses', metadata, {
  id: integer().primaryKey(),
  street: varchar(40),
  city: text().nullable(),
  userId: fk(() => users.c.id, { onDelete: 'cascade' }).index(),
});

export const orders = table('orders', metadata, {
  id: bigint().primaryKey(),
  userId: fk(() => users.c.id),
  total: numeric(12, 2),
  paid: boolean().default(false),
  placedAt: timestamptz().default(func.now()),
});

export const items = table('order_items', metadata, {
  orderId: fk(() => orders.c.id, { onDelete: 'cascade' }).primaryKey(),
  position: integer().primaryKey(),
  sku: uuid().nullable(),
  quantity: integer().default(1),
  price: double(),
  photo: bytea().nullable(),
});
