// The certificates of a TLS connection, found where libpq finds them: named, or in ~/.postgresql.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { ConnectError } from '../../errors/index.ts';
import type { ResolvedOptions } from './driver/options.ts';

const FOLDER = '.postgresql';
const inHome = (name: string): string => join(homedir(), FOLDER, name);

async function readNamed(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConnectError(`cannot read ${what} '${path}'`, { cause, outcome: 'not-sent' });
  }
}

/** A file that need not be there. */
async function readDefault(name: string): Promise<string | undefined> {
  try {
    return await readFile(inHome(name), 'utf8');
  } catch {
    return undefined;
  }
}

/** The machine's own, and Node's with what NODE_EXTRA_CA_CERTS adds; an older Node has only the latter. */
function systemCertificates(): string[] | undefined {
  const { getCACertificates } = tls as Partial<Pick<typeof tls, 'getCACertificates'>>;
  return getCACertificates === undefined
    ? undefined
    : [...getCACertificates('default'), ...getCACertificates('system')];
}

/** The certificates to trust; undefined leaves it to Node. */
export async function trustedCertificates({
  sslRootCert,
  sslMode,
}: ResolvedOptions): Promise<string | string[] | undefined> {
  if (sslRootCert === 'system') return systemCertificates();
  if (sslRootCert !== undefined) return readNamed('sslrootcert', sslRootCert);
  const found = await readDefault('root.crt');
  if (found !== undefined || sslMode === undefined) return found;
  throw new ConnectError(`sslmode '${sslMode}' needs certificates to trust, and ${inHome('root.crt')} is not there`, {
    hint: "Name them as sslrootcert=PATH, or take the machine's with sslrootcert=system.",
    outcome: 'not-sent',
  });
}

/** Whether `require` checks the chain: libpq does so where there is something to check it against. */
export async function hasRootCertificate({ sslRootCert }: ResolvedOptions): Promise<boolean> {
  return sslRootCert !== undefined || (await readDefault('root.crt')) !== undefined;
}

/** A key that others can read is refused, as libpq does: root's own may be read by its group. */
async function checkKey(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode, uid } = await stat(path);
  const allowed = uid === 0 ? 0o640 : 0o600;
  if ((mode & 0o777 & ~(allowed | 0o700)) === 0) return;
  throw new ConnectError(`the private key '${path}' can be read or changed by others`, {
    hint: `chmod 0600 ${path}`,
    outcome: 'not-sent',
  });
}

/** The client's certificate and key, if it has one. */
export async function clientCertificate({
  sslCert,
  sslKey,
}: ResolvedOptions): Promise<{ cert: string; key: string } | undefined> {
  const cert = sslCert === undefined ? await readDefault('postgresql.crt') : await readNamed('sslcert', sslCert);
  if (cert === undefined) return undefined;
  const path = sslKey ?? inHome('postgresql.key');
  const key = await readNamed('sslkey', path);
  await checkKey(path);
  return { cert, key };
}
