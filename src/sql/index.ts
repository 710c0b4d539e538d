// The public names of the layer.
export { alias } from './alias.ts';
export type { Alias, AnyEntity, Inst, Meta, NameOf, SpecOf } from './entity.ts';
export type {
  AnyAttr,
  AnyExpr,
  Attr,
  Attrs,
  BoolExpr,
  Expr,
  Label,
  NumberExpr,
  Operand,
  OrderBy,
  RelAttr,
  RowAttrs,
  TextExpr,
} from './expr.ts';
export { type Delete, deleteFrom } from './statements/delete.ts';
export { func, type Functions } from './functions.ts';
export { type Insert, insert } from './statements/insert.ts';
export type { AnyLoaderOption, LoaderOption, MergeLoads } from './loader-option.ts';
export type { Brand } from './phantom.ts';
export { and, caseWhen, exists, literal, not, or } from './predicates.ts';
export { type RawSql, sql } from './raw.ts';
export type { FirstOf, Item, NamedOf, Source, TupleOf } from './rows.ts';
export { type LockOptions, type Select, select } from './statements/select.ts';
export type { InsertValues, SetOf, Settable } from './statements/settable.ts';
export type { Statement } from './statement.ts';
export type { Subquery } from './statements/subquery.ts';
export { type Update, update } from './statements/update.ts';
