/** How to start PgBouncer, or undefined where there is none. `libraries` is for `LD_LIBRARY_PATH`. */
export function findPgBouncer(): { readonly file: string; readonly libraries: string | undefined } | undefined;
export function ensurePgBouncer(): Promise<void>;
