// Whether a module is the program, or was loaded by one. In a job's process the module that defines the job is loaded
// too, and must not run the program again.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { ownJob } from './job-registry.ts';

/** True only in the module a process was started with, and never in a job: `if (isMain(import.meta)) await main()`. */
export function isMain(meta: { readonly url: string; readonly main?: boolean | undefined }): boolean {
  if (!isMainThread || ownJob.stage !== 'none') return false;
  if (meta.main !== undefined) return meta.main;
  const [, script] = process.argv;
  if (script === undefined || !meta.url.startsWith('file:')) return false;
  const path = fileURLToPath(meta.url);
  // The program may be named without its extension, or by a link.
  return [script, `${script}.js`, `${script}.mjs`].some((name) => realPath(name) === realPath(path));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
