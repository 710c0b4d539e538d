// The caller's own mistakes: thrown before anything is sent.
import { AthanorError } from './athanor-error.ts';

/** The call itself is wrong: an unknown option, an argument of the wrong kind. */
export class UsageError extends AthanorError {
  readonly code: string = 'ATH_USAGE';
}
/** A statement cannot be turned into SQL. */
export class CompileError extends UsageError {
  override readonly code: string = 'ATH_COMPILE';
}
/** A class, column or relation is declared in a way that cannot be mapped. */
export class MappingError extends UsageError {
  override readonly code: string = 'ATH_MAPPING';
}
/** The object is not in a state that allows the call: closed, already begun, not begun. */
export class StateError extends UsageError {
  override readonly code: string = 'ATH_STATE';
}
/** Two calls overlap that must not: a flush, commit, rollback or close beside anything else on one session. */
export class ConcurrentUseError extends StateError {
  override readonly code: string = 'ATH_CONCURRENT_USE';
}
/** The database or driver cannot do what was asked, and athanor does not pretend. */
export class UnsupportedError extends UsageError {
  override readonly code: string = 'ATH_UNSUPPORTED';
}
