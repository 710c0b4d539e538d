// The one error class of this package. It stands alone because the package depends on nothing, athanor included; the
// stable `code` is what a caller reacts to.

/** What went wrong, as a stable code. */
export type EmbeddedErrorCode =
  | 'ATH_EMBEDDED_PLATFORM'
  | 'ATH_EMBEDDED_BINARIES'
  | 'ATH_EMBEDDED_VERSION'
  | 'ATH_EMBEDDED_PERMISSION'
  | 'ATH_EMBEDDED_INIT'
  | 'ATH_EMBEDDED_START'
  | 'ATH_EMBEDDED_STOP'
  | 'ATH_EMBEDDED_SETTINGS'
  | 'ATH_EMBEDDED_SOCKET'
  | 'ATH_EMBEDDED_TIMEOUT'
  | 'ATH_EMBEDDED_ABORTED'
  | 'ATH_EMBEDDED_LOST';

/** The form in which an error crosses from the watcher to its clients. */
export interface EmbeddedErrorRecord {
  readonly code: EmbeddedErrorCode;
  readonly message: string;
}

/** A failure of the embedded server: `code` is stable, the message says what happened and what to do. */
export class EmbeddedError extends Error {
  readonly code: EmbeddedErrorCode;

  constructor(code: EmbeddedErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    Object.defineProperty(this, 'name', { value: 'EmbeddedError', configurable: true, writable: true });
  }

  toJSON(): EmbeddedErrorRecord {
    return { code: this.code, message: this.message };
  }
}

/** The record of any thrown value; one that is not an `EmbeddedError` gets `fallback` as its code. */
export function errorRecord(error: unknown, fallback: EmbeddedErrorCode): EmbeddedErrorRecord {
  if (error instanceof EmbeddedError) return error.toJSON();
  const system = error as { code?: string; message?: string };
  const code = system.code === 'EACCES' || system.code === 'EPERM' ? 'ATH_EMBEDDED_PERMISSION' : fallback;
  return { code, message: system.message ?? String(error) };
}

/** The `code` of a system error (`ENOENT`, ...), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
