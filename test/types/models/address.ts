// Addresses: the many of one-to-many.
import { integer, text, fk, one } from '../../../src/index.ts';
import { Base } from './base.ts';
import { User } from './user.ts';
export class Address extends Base.table('addresses', {
  id: integer().primaryKey(),
  street: text(),
  city: text().nullable(),
  userId: fk(() => User.c.id),
  user: one(() => User),
}) {}
