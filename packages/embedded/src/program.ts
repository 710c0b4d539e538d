// Runs the PostgreSQL programs as the right user, in a clean environment: no PG* variable, no locale and no OpenSSL
// configuration of the machine reaches them.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { EmbeddedError, systemCode } from './embedded-error.ts';
import { canWalkTo, type Identity } from './reach.ts';

/** How a program ended and what it wrote. */
export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
}

/** A program to be run. */
export interface Program {
  readonly file: string;
  readonly parameters: readonly string[];
  readonly who: Identity | undefined;
  readonly input?: string;
}

function environment(): NodeJS.ProcessEnv {
  const clean: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC', OPENSSL_CONF: '/dev/null' };
  if (process.platform !== 'win32') return { ...clean, PATH: '/usr/bin:/bin', HOME: '/' };
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|NODE_|OPENSSL)/i.test(name));
  return { ...Object.fromEntries(kept), ...clean, OPENSSL_CONF: 'NUL' };
}

/** The options every PostgreSQL program is spawned with. */
export function spawnOptions(who: Identity | undefined): SpawnOptions {
  const identity = who === undefined ? {} : { uid: who.uid, gid: who.gid };
  return { ...identity, env: environment(), cwd: process.platform === 'win32' ? undefined : '/', windowsHide: true };
}

/** Turns a failed spawn into an error that says what to do. */
export function spawnError(error: Error, file: string, who: Identity | undefined): EmbeddedError {
  const code = systemCode(error);
  const refused = code === 'EPERM' || code === 'EINVAL';
  const text =
    who !== undefined && refused
      ? `PostgreSQL cannot run as root, and this root may not become user ${who.uid}: run as an ordinary user.`
      : `${file} cannot be run (${code ?? error.message}).`;
  return new EmbeddedError('ATH_EMBEDDED_PERMISSION', text, { cause: error });
}

/** Runs a program to its end. */
export async function run(program: Program, folder?: FolderHandle): Promise<ProgramResult> {
  const { file, parameters, who } = program;
  const extra = folder?.descriptor === undefined ? [] : [folder.descriptor];
  const child = spawn(file, parameters, { ...spawnOptions(who), stdio: ['pipe', 'pipe', 'pipe', ...extra] });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A program that ends early closes its input; its exit code says more than the broken pipe.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(program.input ?? '');
  const code = await closed(child, program);
  return { code, output: Buffer.concat(chunks).toString('utf8').trim() };
}

function closed(child: ChildProcess, program: Program): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(spawnError(error, program.file, program.who)));
    child.once('close', (code) => resolve(code));
  });
}

/** A folder as a program is told it. */
export interface FolderHandle {
  readonly path: string;
  /** An open descriptor to hand over as number 3, where the path leads through it. */
  readonly descriptor?: number;
  close(): void;
}

/**
 * Gives a folder to a program whose user cannot walk to it (a folder below root's closed home): the program then gets
 * it as an open descriptor, which needs no walk.
 */
export function handFolder(folder: string, who: Identity | undefined): FolderHandle {
  if (canWalkTo(folder, who)) return { path: folder, close: () => undefined };
  if (process.platform !== 'linux') {
    const text = `PostgreSQL cannot run as root, and user ${who?.uid} cannot walk to ${folder}: use another folder.`;
    throw new EmbeddedError('ATH_EMBEDDED_PERMISSION', text);
  }
  const descriptor = openSync(folder, 'r');
  return { path: '/proc/self/fd/3', descriptor, close: () => closeSync(descriptor) };
}
