// What a session answers.
import { AthanorError } from './athanor-error.ts';

export class OrmError extends AthanorError {
  readonly code: string = 'ATH_ORM';
}
/** `one()` or `getOne()` found no row. */
export class NoResultError extends OrmError {
  override readonly code: string = 'ATH_NO_RESULT';
}
/** `one()` or `oneOrNone()` found more than one row. */
export class MultipleResultsError extends OrmError {
  override readonly code: string = 'ATH_MULTIPLE_RESULTS';
}
/** The row is no longer what was read: a guarded write, or a version, did not match. Reload and do the work again. */
export class StaleDataError extends OrmError {
  override readonly code: string = 'ATH_STALE_DATA';
  override get retryable(): boolean {
    return true;
  }
}
/** The attribute or relation was not loaded, and nothing is fetched behind your back. */
export class NotLoadedError extends OrmError {
  override readonly code: string = 'ATH_NOT_LOADED';
}
/** The entity belongs to no session, or to another one. */
export class DetachedEntityError extends OrmError {
  override readonly code: string = 'ATH_DETACHED_ENTITY';
}
/** The unit of work cannot be planned or did not come out as planned. */
export class FlushError extends OrmError {
  override readonly code: string = 'ATH_FLUSH';
}
/** Rows depend on each other in a circle that no order of statements can write. */
export class CircularDependencyError extends FlushError {
  override readonly code: string = 'ATH_CIRCULAR_DEPENDENCY';
}
/** The session's transaction failed earlier; `cause` is that first error. Call `rollback()`. */
export class PendingRollbackError extends OrmError {
  override readonly code: string = 'ATH_PENDING_ROLLBACK';
}
