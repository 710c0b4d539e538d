// A folder nobody else can look into or put things in. Whoever can reach a broker's socket and token can use up the
// budget, and whoever can plant one there can starve us: a folder of somebody else is refused, not repaired.
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { UsageError } from '../../errors/index.ts';

/** Makes the folder if it is missing. Throws `UsageError` (ATH_USAGE) if it is not this user's alone. */
export function privateFolder(path: string): string {
  try {
    mkdirSync(path, { mode: 0o700 });
    // The umask may have taken bits away that we need.
    chmodSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new UsageError(`The folder ${path} for the connection budget cannot be made.`, {
        hint: 'Set TMPDIR to a folder this user may write to.',
        cause: error,
      });
    }
  }
  const found = lstatSync(path);
  const problem = whatIsWrong(found);
  if (problem === undefined) return path;
  throw new UsageError(`The folder ${path} is not used for the connection budget: ${problem}.`, {
    hint: 'Remove it, set TMPDIR to a folder of your own, or unset ATHANOR_BUDGET where it came from another user.',
  });
}

function whatIsWrong(found: { isDirectory(): boolean; uid: number; mode: number }): string | undefined {
  if (!found.isDirectory()) return 'it is not a folder';
  if (process.getuid === undefined) return undefined;
  if (found.uid !== process.getuid()) return `it belongs to user ${found.uid}`;
  if ((found.mode & 0o077) !== 0) return `others may enter it (mode ${(found.mode & 0o777).toString(8)})`;
  return undefined;
}

/** Who this process runs as: a number where the system has one, for not every user has a name. */
export function userName(): string {
  return String(process.getuid?.() ?? userInfo().username.replace(/[^A-Za-z0-9_-]/g, '_'));
}
