// athanor: the whole public face. Names only; what they mean is where they are made.
export {
  type BudgetSettings,
  type ConnectionCreator,
  createEngine,
  type CreateEngineOptions,
  createMockEngine,
} from './create-engine.ts';
export type { ConnectArgs } from './dialect/backend.ts';
export { type EngineConfig, engineFromConfig } from './engine-from-config.ts';

export { Connection } from './engine/connection.ts';
export type { CopiedRow, CopyInOptions, CopyOutOptions } from './engine/copy/copy.ts';
export { DatabaseUrl, makeUrl, type UrlParts } from './engine/database-url.ts';
export { type BeginOptions, Engine, type EngineHealth, type Pooler } from './engine/engine.ts';
export type {
  ConnectChange,
  ConnectingEvent,
  ConnectionEvent,
  DisposedEvent,
  EngineEvents,
  ErrorEvent,
  ExecutedEvent,
  SavepointEvent,
  SchemaConnection,
  SchemaEvent,
  StatementChange,
  StatementEvent,
  TwoPhaseEvent,
} from './engine/events/engine-events.ts';
export type { EngineFacts } from './engine/events/engine-facts.ts';
export { type EngineEventName, type EventSubscriptions, onEngine } from './engine/events/event-hub.ts';
export type { Logger } from './engine/events/logger.ts';
export type {
  AcquireTrace,
  ConnectTrace,
  FlushTrace,
  QueryTrace,
  TracedText,
  TransactionTrace,
} from './engine/events/channels.ts';
export type { WaitOptions } from './engine/executor.ts';
export { MockEngine, type MockEngineOptions } from './engine/mock-engine.ts';
export { Listener, type ListenEvent, type ListenOptions } from './engine/notify/listener.ts';
export type {
  ExecutionOptions,
  SchemaTranslateMap,
  StatementOptions,
  StatementSettings,
} from './engine/options/execution-options.ts';
export type { Tags, TagValues } from './engine/options/query-tags.ts';
export type { TransactionOutcome } from './engine/outcome/outcome.ts';
export { Result } from './engine/result.ts';
export { type RetryOptions, retried } from './engine/retry.ts';
export type { ScriptResult } from './engine/rows/script.ts';
export { type Paging, RowStream, type StreamOptions } from './engine/rows/row-stream.ts';
export type { Echo } from './engine/tracer.ts';
export { Transaction } from './engine/transaction.ts';
export type { TransactionOptions } from './engine/transaction-texts.ts';
export { TwoPhaseTransaction } from './engine/outcome/two-phase.ts';
export type { Pool } from './pool/pool.ts';
export type { ObservedConnection, PoolEvents } from './pool/pool-events.ts';
export type { PoolSettings } from './pool/pool-options.ts';
export type { ConnectionRecord, PoolStatus } from './pool/pool-status.ts';
export type { PoolPolicyName } from './pool/policy.ts';
export type { ShedSettings } from './pool/shedding.ts';
export type { IsolationLevel } from './dialect/dialect.ts';

export type { ListenOptions as ListenerOptions, Unsubscribe } from './primitives/listeners.ts';

export * from './errors/index.ts';
export { deserializeError, type SerializedError, serializeError } from './errors/serialize.ts';

export { alias } from './sql/alias.ts';
export { type Delete, deleteFrom } from './sql/statements/delete.ts';
export type { Alias, AnyEntity, Inst } from './sql/entity.ts';
export type { AnyAttr, AnyExpr, Attr, Attrs, Expr, Label, OrderBy, RelAttr } from './sql/expr.ts';
export { func } from './sql/functions.ts';
export { type Insert, insert } from './sql/statements/insert.ts';
export type { LoaderOption } from './sql/loader-option.ts';
export type { Brand } from './sql/phantom.ts';
export { and, caseWhen, exists, literal, not, or } from './sql/predicates.ts';
export { sql } from './sql/raw.ts';
export { type LockOptions, type Select, select } from './sql/statements/select.ts';
export type { Statement } from './sql/statement.ts';
export type { Subquery } from './sql/statements/subquery.ts';
export { type Update, update } from './sql/statements/update.ts';

export type { Col, Derived, FkCol, Flag } from './schema/col.ts';
export {
  array,
  bigint,
  boolean,
  bytea,
  customType,
  derived,
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
} from './schema/columns.ts';
export { check, type Constraint, foreignKey, index, unique } from './schema/constraint.ts';
export { MetaData } from './schema/metadata.ts';
export { type CoreTable, table } from './schema/table.ts';

export { assign } from './orm/assign.ts';
export type { EntityStatus } from './orm/entity/entity-state.ts';
export { entityStatus } from './orm/entity/entity-status.ts';
export { declarativeBase } from './orm/mapping/declarative-base.ts';
export type { BaseClass, Entity, EntityClass } from './orm/mapping/entity-class.ts';
export type { Data, New, PrimaryKey } from './orm/mapping/init-types.ts';
export { many, maybe, type Many, type Maybe, type One, one } from './orm/mapping/relation-definition.ts';
export type { FlushPlan } from './orm/flush/flush-plan.ts';
export type { Lazy, LazyList, LoadedList, Unloaded } from './orm/relations/lazy-types.ts';
export { joinedload, selectinload } from './orm/relations/loader-options.ts';
export { isLoaded } from './orm/relations/relation-field.ts';
export type { NestedTransaction } from './orm/session/nested-transaction.ts';
export { Session } from './orm/session/session.ts';
export {
  type SessionBeginOptions,
  type SessionMaker,
  sessionmaker,
  type SessionOptions,
} from './orm/session/session-maker.ts';

export { defineJob, type Job, type JobSettings } from './process/jobs/define-job.ts';
export { isMain } from './process/jobs/is-main.ts';
export type { JobHandle } from './process/jobs/job-handle.ts';
export type { JobContext } from './process/jobs/job-registry.ts';
export type { JobOptions } from './process/jobs/start-job.ts';
