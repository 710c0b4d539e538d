// The layout of a data folder and the record of the server that serves it. Whoever finds the folder finds the server:
// the record names the watcher's socket, the port and the password, and is readable by its owner alone.

import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { EmbeddedError, systemCode } from './embedded-error.ts';

/** Whether the server speaks TLS over TCP: not at all, only TLS, or both. */
export type TlsMode = 'off' | 'required' | 'offered';

/** What is known of the server of a data folder. */
export interface ServerRecord {
  readonly format: 1;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
  /** The private folder of the server's Unix socket, where it has one. */
  readonly socketFolder?: string | undefined;
  /** The settings the server was started with. */
  readonly settings: Readonly<Record<string, string>>;
  /** The socket on which the watcher takes clients. */
  readonly watcher?: string | undefined;
}

/** The paths inside a data folder. */
export interface DataFolder {
  readonly folder: string;
  /** PostgreSQL's own folder. */
  readonly cluster: string;
  readonly record: string;
  readonly lock: string;
  readonly log: string;
  /** The certificate that signed the server's one: what `sslrootcert` names. */
  readonly certificate: string;
}

/** Creates the data folder if it is missing and gives its paths. */
export function openDataFolder(given: string): DataFolder {
  try {
    mkdirSync(given, { recursive: true, mode: 0o700 });
    accessSync(given, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const text = `The data folder ${path.resolve(given)} cannot be made or written by this user.`;
    throw new EmbeddedError('ATH_EMBEDDED_PERMISSION', text, { cause: error });
  }
  const folder = realpathSync(given);
  return {
    folder,
    cluster: path.join(folder, 'postgres'),
    record: path.join(folder, 'athanor.json'),
    lock: path.join(folder, 'watcher.lock'),
    log: path.join(folder, 'server.log'),
    certificate: path.join(folder, 'certificate.pem'),
  };
}

/** The record in a data folder, or undefined where there is none yet. */
export function readRecord(data: DataFolder): ServerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(data.record, 'utf8')) as ServerRecord;
    return record.format === 1 ? record : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    if (systemCode(error) !== 'EACCES') throw error;
    const text = `${data.record} belongs to another user: run as the user that made the data folder.`;
    throw new EmbeddedError('ATH_EMBEDDED_PERMISSION', text, { cause: error });
  }
}

/** Writes a file whole or not at all, readable by its owner alone. */
export function writePrivate(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

/** Puts a record in place of the one before it. */
export function writeRecord(data: DataFolder, record: ServerRecord): void {
  writePrivate(data.record, `${JSON.stringify(record, undefined, 2)}\n`);
}
