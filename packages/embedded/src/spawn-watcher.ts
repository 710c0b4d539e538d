// Starts the watcher as a process of its own: another session, no inherited stream and none of Node's own variables,
// so that neither a signal to our group nor a debugger or test runner of ours reaches it.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EmbeddedError, type EmbeddedErrorRecord } from './embedded-error.ts';
import type { DataFolder } from './data-folder.ts';
import type { WatcherOrder } from './options.ts';

/** What the watcher says when it has started. */
export type WatcherWord =
  | { readonly say: 'listening'; readonly address: string }
  | { readonly say: 'busy' }
  | { readonly say: 'failed'; readonly error: EmbeddedErrorRecord };

function entryFile(): string {
  const self = fileURLToPath(import.meta.url);
  return path.join(path.dirname(self), `watcher-main${path.extname(self)}`);
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_|PG)/.test(name));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}

/** Starts a watcher and gives its first word. */
export async function spawnWatcher(data: DataFolder, order: WatcherOrder): Promise<WatcherWord> {
  const log = openSync(data.log, 'a', 0o600);
  const child = spawn(process.execPath, [entryFile(), JSON.stringify(order)], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    cwd: path.parse(process.execPath).root,
    env: environment(),
    windowsHide: true,
  });
  closeSync(log);
  try {
    return await firstWord(child, data);
  } finally {
    child.stdout?.destroy();
    child.unref();
  }
}

function firstWord(child: ChildProcess, data: DataFolder): Promise<WatcherWord> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      const text = `The watcher of the embedded server ${what}; see ${data.log}.`;
      reject(new EmbeddedError('ATH_EMBEDDED_START', text));
    };
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    if (child.stdout === null) return;
    const lines = createInterface({ input: child.stdout });
    lines.once('line', (line) => {
      resolve(JSON.parse(line) as WatcherWord);
      lines.close();
    });
    lines.once('close', () => fail('ended at once'));
  });
}
