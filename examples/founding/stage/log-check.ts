// Goes through the server's log and keeps every line that a healthy run does not write. It is a list of what is
// allowed, not of what is feared: the failure athanor was born from was logged at the harmless level LOG.
import { type LogEntry, parseLogLine } from './server-log.ts';

/** What a server that is well writes, all at level LOG. */
const ALLOWED: readonly RegExp[] = [
  /^starting PostgreSQL /,
  /^listening on /,
  /^database system (was shut down at |is ready to accept connections$)/,
  /^redirecting log output /,
  /^checkpoint (starting|complete)/,
  /^connection (received|authenticated|authorized): /,
  /^disconnection: /,
];

/** What the server writes when a client was killed: allowed only to the connections of those that we did kill. */
const ALLOWED_TO_KILLED: readonly RegExp[] = [
  /^unexpected EOF on client connection with an open transaction$/,
  /^could not (receive data from|send data to) client: (Connection reset by peer|Broken pipe)$/,
  /^could not accept SSL connection: (Connection reset by peer|EOF detected|Success)$/,
  /^incomplete startup packet$/,
  /^connection to client lost$/,
  /^terminating connection due to administrator command$/,
];

/** Lines that explain the entry before them. */
const EXPLAINS = new Set(['DETAIL', 'HINT', 'CONTEXT', 'STATEMENT', 'QUERY', 'LOCATION', 'BACKTRACE']);

export interface LogCheckOptions {
  /** Whether this entry's connection belonged to a process that was killed on purpose. */
  readonly ofKilled?: ((entry: LogEntry) => boolean) | undefined;
}

/** Takes the log's lines in order and keeps those that should not be there. */
export class LogCheck {
  readonly findings: string[] = [];
  readonly #ofKilled: (entry: LogEntry) => boolean;

  constructor(options: LogCheckOptions = {}) {
    this.#ofKilled = options.ofKilled ?? (() => false);
  }

  read(line: string): void {
    // A message of several lines goes on after a tab.
    if (line === '' || line.startsWith('\t')) return;
    const entry = parseLogLine(line);
    if (entry === undefined) this.findings.push(line);
    else if (!this.#allows(entry)) this.findings.push(line);
  }

  #allows(entry: LogEntry): boolean {
    if (EXPLAINS.has(entry.level)) return true;
    if (entry.level === 'LOG' && ALLOWED.some((pattern) => pattern.test(entry.message))) return true;
    return ALLOWED_TO_KILLED.some((pattern) => pattern.test(entry.message)) && this.#ofKilled(entry);
  }
}
