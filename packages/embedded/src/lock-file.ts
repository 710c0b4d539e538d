// One watcher a data folder, whatever dies. The lock is a hard link, which is made by one process only; it names its
// holder by process id and start time, so that the lock of a dead holder can be told and taken over.

import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { systemCode } from './embedded-error.ts';
import { isSameProcess, startTimeOf } from './process-identity.ts';

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderLives(content: string): boolean {
  const [pid, startTime] = content.split(' ');
  return isSameProcess(Number(pid), startTime ?? '');
}

/** A lock file held by this process. */
export class LockFile {
  readonly #file: string;
  readonly #content: string;

  private constructor(file: string, content: string) {
    this.#file = file;
    this.#content = content;
  }

  /** Whether a living process holds the lock. */
  static isTaken(file: string): boolean {
    const content = read(file);
    return content !== undefined && holderLives(content);
  }

  /** Takes the lock, or gives undefined when a living process holds it. */
  static acquire(file: string): LockFile | undefined {
    const nonce = randomBytes(8).toString('hex');
    const content = `${process.pid} ${startTimeOf(process.pid)} ${nonce}`;
    const draft = `${file}.${nonce}`;
    writeFileSync(draft, content, { mode: 0o600 });
    try {
      while (!link(draft, file)) {
        const seen = read(file);
        if (seen === undefined) continue;
        if (holderLives(seen)) return undefined;
        LockFile.#bury(file, seen, `${draft}.dead`);
      }
    } finally {
      rmSync(draft, { force: true });
    }
    const lock = new LockFile(file, content);
    return lock.isHeld() ? lock : undefined;
  }

  /** Removes the lock of a dead holder; a lock that changed hands meanwhile is put back. */
  static #bury(file: string, seen: string, grave: string): void {
    try {
      renameSync(file, grave);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    if (read(grave) !== seen) link(grave, file);
    rmSync(grave, { force: true });
  }

  /** Whether the file still names this holder. */
  isHeld(): boolean {
    return read(this.#file) === this.#content;
  }

  /** Gives the lock back. */
  release(): void {
    if (this.isHeld()) rmSync(this.#file, { force: true });
  }
}
