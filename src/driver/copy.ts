// Bulk data in the database's own stream format. The driver moves bytes and keeps the peer's pace; what the bytes mean
// is for those above.

/** Where COPY's data comes from. A chunk need not end where a row ends. It is not changed, and may be reused once the next is asked for. */
export type CopySource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Where COPY's data goes. A chunk need not end where a row ends; it belongs to the callee. Nothing more is read until the promise settles. */
export type CopyTarget = (chunk: Uint8Array) => void | Promise<void>;
