// The public names of the orm.
export { assign, type PatchOf } from './assign.ts';
export { type EntityStatus } from './entity/entity-state.ts';
export { entityStatus } from './entity/entity-status.ts';
export { FlushPlan } from './flush/flush-plan.ts';
export type { FlushStep } from './flush/flush-step.ts';
export { declarativeBase } from './mapping/declarative-base.ts';
export type { BaseClass, Entity, EntityClass, Hybrid, TableOptions } from './mapping/entity-class.ts';
export type { Data, Fields, Init, New, PrimaryKey, Spec } from './mapping/init-types.ts';
export {
  type Cascade,
  many,
  type Many,
  maybe,
  type Maybe,
  one,
  type One,
  type RelOptions,
} from './mapping/relation-definition.ts';
export { Query } from './query-compat.ts';
export type { Lazy, LazyList, LoadedList, Unloaded } from './relations/lazy-types.ts';
export { joinedload, type Loader, selectinload } from './relations/loader-options.ts';
export { isLoaded } from './relations/relation-field.ts';
export { NestedTransaction } from './session/nested-transaction.ts';
export { type ExecuteOptions as SessionExecuteOptions, type ReadOptions } from './session/session-reads.ts';
export { Session } from './session/session.ts';
export type { FlushOptions } from './session/session-core.ts';
export {
  type SessionBeginOptions,
  type SessionBind,
  sessionmaker,
  type SessionMaker,
  type SessionOptions,
} from './session/session-maker.ts';
