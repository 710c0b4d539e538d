// The tables of the founding programme: one row a child adds one to, and one row that all children add to at once.
import { declarativeBase, integer } from 'athanor';

export class Base extends declarativeBase() {}

export class Dummy extends Base.table('founding_dummies', {
  id: integer().primaryKey(),
  value: integer(),
}) {}

export class Counter extends Base.table('founding_counters', {
  id: integer().primaryKey(),
  value: integer(),
}) {}

export class VersionedCounter extends Base.table('founding_versioned_counters', {
  id: integer().primaryKey(),
  value: integer(),
  version: integer().version(),
}) {}
