// PostgreSQL tells its own state in postmaster.pid. Reading it is how readiness is seen without a connection, which
// would leave an "incomplete startup packet" in the log, and how a live server is found after its starter was killed.

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from './embedded-error.ts';
import { isAlive, workingFolderOf } from './process-identity.ts';

/** What postmaster.pid says. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** Reads the file of a cluster; undefined where there is none or it is not complete. */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  try {
    const lines = readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The live server of a cluster, or undefined. A file whose process is gone, or whose number now belongs to another
 * program, is stale; on Linux, where that is certain, it is removed so that the next start is not refused.
 */
export function liveServer(cluster: string): PostmasterFile | undefined {
  const found = readPostmasterFile(cluster);
  if (found === undefined || !isAlive(found.pid)) return undefined;
  const folder = workingFolderOf(found.pid);
  if (folder === undefined || folder === cluster) return found;
  if (!somebodyWorksIn(cluster)) rmSync(path.join(cluster, 'postmaster.pid'), { force: true });
  return undefined;
}

/** Whether any process of a server, also one that outlived its postmaster, is in the cluster. */
function somebodyWorksIn(cluster: string): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && workingFolderOf(Number(name)) === cluster);
}
