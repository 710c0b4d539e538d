// A part of a long run in a process of its own, which says how far it is. One that falls silent is caught in a loop, and
// is stopped; where it was is then known.
import { fork } from 'node:child_process';

export interface PartOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly flags?: readonly string[] | undefined;
  /** How a reader would have the place where it stopped again. */
  readonly again: (at: number) => string;
}

type Word<R> = { readonly at: number } | { readonly report: R };

/** Milliseconds. */
const SILENCE = 60_000;

/** Runs a part to its report. */
export function runPart<R>({ program, args, flags = [], again }: PartOptions): Promise<R> {
  return new Promise((resolve, reject) => {
    const child = fork(program, [...args], { execArgv: [...flags] });
    let report: R | undefined;
    let at = -1;
    const silent = (): void => {
      child.kill('SIGKILL');
      reject(new Error(`a loop without end: ${again(at)}`));
    };
    let watch = setTimeout(silent, SILENCE);
    child.on('message', (word: Word<R>) => {
      clearTimeout(watch);
      watch = setTimeout(silent, SILENCE);
      if ('report' in word) report = word.report;
      else at = word.at;
    });
    child.on('exit', (code, signal) => {
      clearTimeout(watch);
      if (report === undefined) reject(new Error(`it died with ${signal ?? code}: ${again(at)}`));
      else resolve(report);
    });
  });
}

/** Says in a part where it is. */
export function sayAt(at: number): void {
  process.send?.({ at });
}

/** Says what came of a part, and ends it. */
export function sayReport(report: unknown): void {
  process.send?.({ report }, undefined, undefined, () => process.disconnect?.());
}
