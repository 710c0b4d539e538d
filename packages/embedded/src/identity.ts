// Whom the server runs as. PostgreSQL refuses root, so root gives way to the owner of an existing cluster or to the
// system's nobody; everybody else runs it as themselves.

import { statSync } from 'node:fs';
import type { DataFolder } from './data-folder.ts';
import type { Identity } from './reach.ts';

const NOBODY: Identity = { uid: 65534, gid: 65534 };

/** The user a new cluster is made for, or undefined for the user of this process. */
export function freshIdentity(): Identity | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** The user to change to, or undefined when the server runs as the user of this process. */
export function serverIdentity(data: DataFolder): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const cluster = statSync(data.cluster, { throwIfNoEntry: false });
  return cluster === undefined || cluster.uid === 0 ? NOBODY : { uid: cluster.uid, gid: cluster.gid };
}
