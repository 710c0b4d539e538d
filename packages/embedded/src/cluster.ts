// A cluster appears in its data folder whole or not at all: it is copied under another name, given its own password,
// and only then renamed. What a killed start left behind is removed by the next one.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Binaries, programPath } from './binaries.ts';
import { copyTree } from './copy-tree.ts';
import type { DataFolder } from './data-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { handFolder, run } from './program.ts';
import type { Identity } from './reach.ts';
import { SUPERUSER, templateCluster } from './template.ts';

/** What is needed to make or to repair a cluster. */
export interface ClusterContext {
  readonly data: DataFolder;
  readonly binaries: Binaries;
  readonly who: Identity | undefined;
}

/**
 * Makes the cluster if it is missing and gives its password. Without a known password (the record was lost) a new one
 * is set.
 * @throws EmbeddedError `ATH_EMBEDDED_VERSION` when the cluster is of another major version.
 */
export async function prepareCluster(context: ClusterContext, known: string | undefined): Promise<string> {
  const { data } = context;
  removeDrafts(data);
  const password = known ?? randomBytes(24).toString('base64url');
  if (existsSync(path.join(data.cluster, 'PG_VERSION'))) {
    checkVersion(context);
    if (known === undefined) await setPassword(context, data.cluster, password);
    return password;
  }
  const fresh = randomBytes(24).toString('base64url');
  const draft = `${data.cluster}.new`;
  const template = await templateCluster(context.binaries, context.who);
  copyTree(template, draft, { access: 'private', owner: context.who });
  await setPassword(context, draft, fresh);
  renameSync(draft, data.cluster);
  return fresh;
}

function removeDrafts(data: DataFolder): void {
  for (const name of readdirSync(data.folder)) {
    if (name === 'postgres.new') rmSync(path.join(data.folder, name), { recursive: true, force: true });
  }
}

function checkVersion(context: ClusterContext): void {
  const found = readFileSync(path.join(context.data.cluster, 'PG_VERSION'), 'utf8').trim();
  const { major } = context.binaries;
  if (found === String(major)) return;
  const text = `${context.data.folder} was made by PostgreSQL ${found}, and this is ${major}. Give version: ${found}, or another folder.`;
  throw new EmbeddedError('ATH_EMBEDDED_VERSION', text);
}

/** Sets the password in a cluster that no server has open, by a server that listens nowhere. */
async function setPassword(context: ClusterContext, folder: string, password: string): Promise<void> {
  const handle = handFolder(folder, context.who);
  try {
    const result = await run(
      {
        file: programPath(context.binaries, 'postgres'),
        parameters: ['--single', '-F', '-c', 'log_checkpoints=off', '-D', handle.path, 'postgres'],
        who: context.who,
        input: `ALTER ROLE ${SUPERUSER} PASSWORD '${password}'\n`,
      },
      handle,
    );
    if (result.code === 0 && !/ERROR|FATAL/.test(result.output)) return;
    throw new EmbeddedError('ATH_EMBEDDED_INIT', `The password could not be set:\n${result.output}`);
  } finally {
    handle.close();
  }
}
