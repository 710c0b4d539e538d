// A 64-bit key and a version.
import { integer, text, bigint, fk, one } from '../../../src/index.ts';
import { Base } from './base.ts';
import { User } from './user.ts';
export class Document extends Base.table('documents', {
  id: bigint().primaryKey(),
  body: text(),
  version: integer().version(),
  ownerId: fk(() => User.c.id),
  owner: one(() => User),
}) {}
