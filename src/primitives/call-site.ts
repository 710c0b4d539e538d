// Who called: the first line of a stack that is not the library's own. A holder of a connection is named by it, and a
// failed statement keeps it. Collecting frames costs a microsecond or two, making text of them much more, so the text
// is made only when somebody reads it.
import { fileURLToPath } from 'node:url';
import { OWN_FOLDER } from './own-module.ts';

/** The folder this library's own modules are in, as a URL and as a path: stacks show either. */
const LIBRARY: readonly [string, string] = (() => {
  const folder = OWN_FOLDER.href;
  return [folder, folder.startsWith('file:') ? fileURLToPath(folder) : folder];
})();

/** Whether a line of a stack is inside this library or the runtime. */
function foreign(line: string): boolean {
  return !line.includes('(node:') && !line.includes('at node:') && !LIBRARY.some((folder) => line.includes(folder));
}

/** The lines of a stack that are the caller's, trimmed of `at`. */
export function callerLines(stack: string | undefined): string[] {
  if (stack === undefined) return [];
  return stack
    .split('\n')
    .filter((line) => /^\s+at .*[:(\\/]/.test(line) && foreign(line))
    .map((line) => line.trim().slice('at '.length));
}

/** Where a call came from, as text on demand. */
export class CallSite {
  declare readonly stack: string;
  #text: string | undefined;

  /** Frames above and including `above` are left out; `frames` bounds the cost. */
  constructor(above: (...args: never[]) => unknown, frames: number) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = frames;
    Error.captureStackTrace(this, above);
    Error.stackTraceLimit = limit;
  }

  toString(): string {
    this.#text ??= callerLines(this.stack)[0] ?? 'unknown';
    return this.#text;
  }
}
