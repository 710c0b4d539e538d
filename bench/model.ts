// The tables all workloads share, as athanor maps them and as `pg` meets them.
import { bigint, boolean, declarativeBase, integer, json, numeric, text, timestamptz, uuid } from 'athanor';

class Base extends declarativeBase() {}

/** Eight typed columns: the row of W1 and W3. */
export class Item extends Base.table('bench_items', {
  id: integer().primaryKey(),
  big: bigint(),
  label: text(),
  madeAt: timestamptz(),
  price: numeric(12, 2),
  active: boolean(),
  attributes: json<{ readonly color: string; readonly sizes: readonly number[] }>(),
  token: uuid(),
}) {}

/** What W5 writes. */
export class Entry extends Base.table('bench_entries', {
  id: integer().primaryKey(),
  name: text(),
  amount: integer(),
}) {}

/** The row of the founding loop, W7. */
export class Dummy extends Base.table('bench_dummies', { id: integer().primaryKey(), value: integer() }) {}

export const metadata = Base.metadata;
export const ITEMS = 10_000;
