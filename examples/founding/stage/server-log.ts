// Reads the server's own log, line by line. The programme's claims about connections and errors are checked against
// what the server wrote down, not against what the programme believes of itself.

/** What the server must be started with so that this file can read its log, and the log tells every connection. */
export const LOG_SETTINGS: Readonly<Record<string, string>> = {
  log_line_prefix: '%m [%p] <%u> <%a> ',
  log_timezone: 'UTC',
  log_connections: 'on',
  log_disconnections: 'on',
  lc_messages: 'C',
};

export interface LogEntry {
  /** Milliseconds since 1970, as the server stamped it. */
  readonly time: number;
  /** The server process that wrote it: for a client's connection, its backend. */
  readonly pid: number;
  /** The role of the connection, or an empty text where no role is known. */
  readonly user: string;
  readonly application: string;
  /** LOG, WARNING, ERROR, FATAL, PANIC; or DETAIL, HINT, CONTEXT, STATEMENT, which belong to the entry before. */
  readonly level: string;
  readonly message: string;
}

const ENTRY =
  /^(?<day>\d{4}-\d\d-\d\d) (?<clock>\d\d:\d\d:\d\d\.\d{3}) UTC \[(?<pid>\d+)\] <(?<user>[^>]*)> <(?<application>[^>]*)> (?<level>[A-Z0-9]+): {2}(?<message>.*)$/u;

/** The entry a line holds, or `undefined` for a line that is none. */
export function parseLogLine(line: string): LogEntry | undefined {
  const parts = ENTRY.exec(line)?.groups;
  if (parts === undefined) return undefined;
  const user = parts['user'] ?? '';
  return {
    time: Date.parse(`${parts['day']}T${parts['clock']}Z`),
    pid: Number(parts['pid']),
    user: user === '[unknown]' ? '' : user,
    application: parts['application'] === '[unknown]' ? '' : (parts['application'] ?? ''),
    level: parts['level'] ?? '',
    message: parts['message'] ?? '',
  };
}
