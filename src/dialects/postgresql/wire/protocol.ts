// The letters of PostgreSQL's wire protocol 3.0, and the one way to say that a peer broke it.
import { ProtocolError } from '../../../errors/index.ts';

/** What the server sends. */
export const BACKEND = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBoth: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyIn: 0x47,
  copyOut: 0x48,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  negotiateVersion: 0x76,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const;

/** What we send. */
export const FRONTEND = {
  bind: 0x42,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  execute: 0x45,
  flush: 0x48,
  parse: 0x50,
  password: 0x70,
  sync: 0x53,
  terminate: 0x58,
} as const;

/** Ends reading: what came is not the protocol. The connection it came on is destroyed by whoever reads. */
export function violation(what: string): never {
  throw new ProtocolError(`the server broke the protocol: ${what}`, { outcome: 'unknown' });
}
