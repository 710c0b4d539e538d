// Tenants: a branded key, and columns with awkward names.
import { integer, text, many } from '../../../src/index.ts';
import { Base } from './base.ts';
import { User } from './user.ts';
export class Tenant extends Base.table('tenants', {
  id: integer().primaryKey().brand<'TenantId'>(),
  name: text(),
  length: integer().default(0), // awkward names on purpose
  users: many(() => User),
}) {}
