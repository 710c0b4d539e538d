// Does ahead of time what the first start would do: the library links or the copy, and the template of a new cluster.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { type BinaryChoice, prepareBinaries } from './binaries.ts';
import { cacheFolder } from './cache-folder.ts';
import { freshIdentity } from './identity.ts';
import { templateCluster } from './template.ts';

/** The options of `prepare`. */
export interface PrepareOptions extends Partial<BinaryChoice> {
  /** Told what is being made, when something is. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/**
 * Makes what the first start of a server needs once per machine and user. Silent when it is there already.
 * @throws EmbeddedError `ATH_EMBEDDED_PLATFORM`, `ATH_EMBEDDED_BINARIES`, `ATH_EMBEDDED_INIT`.
 */
export async function prepare(options: PrepareOptions = {}): Promise<void> {
  const { onStep, from = process.cwd(), ...choice } = options;
  const who = freshIdentity();
  const binaries = prepareBinaries({ ...choice, from }, who);
  if (existsSync(path.join(cacheFolder(), `template-${binaries.version}`))) return;
  onStep?.(`preparing the embedded PostgreSQL ${binaries.version.split('-')[0]}`);
  await templateCluster(binaries, who);
}
