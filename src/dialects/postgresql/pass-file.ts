// The password file of libpq (`~/.pgpass`): lines of host:port:database:user:password, the first that fits counts. One
// that others can read is not used, because then it keeps no secret.
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AuthenticationError } from '../../errors/index.ts';

/** Whose password is looked for. */
export interface PassFileQuestion {
  /** Default `~/.pgpass`. */
  readonly file: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Larger than any such file; a wrong path must not fill the memory. */
const MAX_BYTES = 1024 * 1024;
const DEFAULT_SOCKETS = new Set(['/tmp', '/var/run/postgresql', '/run/postgresql']);
const warned = new Set<string>();

/** The five fields; a backslash keeps the colon or backslash behind it. */
function fieldsOf(line: string): readonly string[] {
  const fields = [''];
  for (let at = 0; at < line.length; at++) {
    // Whatever follows the fourth colon is the password, with its escapes taken out too.
    if (line[at] === '\\' && at + 1 < line.length) at += 1;
    else if (line[at] === ':' && fields.length < 5) {
      fields.push('');
      continue;
    }
    fields[fields.length - 1] += line[at] as string;
  }
  return fields;
}

/** The line's password if the line is about `wanted`; a field that is `*` fits all. */
function passwordOf(line: string, wanted: readonly string[]): string | undefined {
  if (line.startsWith('#')) return undefined;
  const fields = fieldsOf(line);
  return wanted.every((value, i) => fields[i] === '*' || fields[i] === value) ? fields[4] : undefined;
}

function warnOnce(file: string): void {
  if (warned.has(file)) return;
  warned.add(file);
  process.emitWarning(`the password file ${file} can be read by others and is not used; its mode must be 0600`, {
    code: 'ATH_PASSFILE_MODE',
  });
}

async function read(file: string, given: boolean): Promise<string> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
    // As with libpq, no file is no password.
    if (missing || !given) return '';
    throw new AuthenticationError(`the password file ${file} cannot be read`, { cause, outcome: 'not-sent' });
  }
  try {
    const { mode, size } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      warnOnce(file);
      return '';
    }
    if (size > MAX_BYTES) return '';
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** The password the file has, or undefined. */
export async function passFilePassword(question: PassFileQuestion): Promise<string | undefined> {
  const { file, host, port, database, user } = question;
  const text = await read(file ?? join(homedir(), '.pgpass'), file !== undefined);
  const place = DEFAULT_SOCKETS.has(host) ? 'localhost' : host;
  for (const line of text.split(/\r?\n/)) {
    const found = passwordOf(line, [place, String(port), database, user]);
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}
