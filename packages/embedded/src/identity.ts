// Whom the server runs as. PostgreSQL refuses root, so root gives way to the owner of an existing cluster or to the
// system's nobody; everybody else runs it as themselves.

import { readFileSync, statSync } from 'node:fs';
import type { DataFolder } from './data-folder.ts';
import type { Identity } from './reach.ts';

const NOBODY = 65534;

/** The system's nobody, or else the first user that is not root: initdb refuses a number without a name. */
function plainUser(): Identity {
  const named = passwordFile().map((line) => ({ uid: Number(line[2]), gid: Number(line[3]) }));
  const fit = named.filter((one) => one.uid > 0 && one.gid > 0);
  return fit.find((one) => one.uid === NOBODY) ?? fit[0] ?? { uid: NOBODY, gid: NOBODY };
}

function passwordFile(): readonly (readonly string[])[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}

/** The user a new cluster is made for, or undefined for the user of this process. */
export function freshIdentity(): Identity | undefined {
  return process.getuid?.() === 0 ? plainUser() : undefined;
}

/** The user to change to, or undefined when the server runs as the user of this process. */
export function serverIdentity(data: DataFolder): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const cluster = statSync(data.cluster, { throwIfNoEntry: false });
  return cluster === undefined || cluster.uid === 0 ? plainUser() : { uid: cluster.uid, gid: cluster.gid };
}
