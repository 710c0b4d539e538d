export { EmbeddedError, type EmbeddedErrorCode, type EmbeddedErrorRecord } from './embedded-error.ts';
export type { EmbeddedServer } from './embedded-server.ts';
export type { ServerOptions, StartOptions, TemporaryOptions } from './options.ts';
export { start, startTemporary } from './start.ts';
export { prepare, type PrepareOptions } from './prepare.ts';
