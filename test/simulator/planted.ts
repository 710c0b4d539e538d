// Bugs to plant into a copy of the sources, each a small change somebody could make by mistake. The simulator must find
// every one of them, or it is worth nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runPart } from '../part.ts';
import type { SimulationCampaign } from './campaign.ts';

export interface PlantedBug {
  readonly what: string;
  readonly file: string;
  /** Exactly this text, once, becomes the other. */
  readonly text: string;
  readonly becomes: string;
  /** It takes many schedules to meet it. */
  readonly rare?: boolean;
}

export const PLANTED: readonly PlantedBug[] = [
  {
    what: 'the permit of a dropped connection is free while the server still has it',
    file: 'src/pool/open-connections.ts',
    text: 'this.#finish(entry, !alive);',
    becomes: 'this.#finish(entry, true);',
  },
  {
    what: 'an attempt that failed keeps its permit',
    file: 'src/pool/opener.ts',
    text: 'permit.release(nothingLeftBehind(error));',
    becomes: 'void nothingLeftBehind(error);',
  },
  {
    what: 'a connection that comes back in a transaction goes to the next as it is',
    file: 'src/pool/pool.ts',
    text: 'else this.#reset(entry);',
    becomes: 'else this.#deliver(entry, this.now());',
  },
  {
    what: 'a waiter whose signal fired stays in the line',
    file: 'src/pool/waiting-line.ts',
    text: '        node?.remove();\n',
    becomes: '',
  },
  {
    what: 'a connection that comes back with work under way goes to the next',
    file: 'src/pool/pool.ts',
    text: "if (entry.pending > 0) this.#connections.destroy(entry, 'it came back with work under way');",
    becomes: "if (entry.pending > 1e9) this.#connections.destroy(entry, 'it came back with work under way');",
  },
  {
    what: 'the line is served from its end',
    file: 'src/pool/waiting-line.ts',
    text: 'node = this.#line.push(waiter);',
    becomes:
      'const all = [...this.#line]; while (this.#line.shift() !== undefined); node = this.#line.push(waiter); for (const one of all) this.#line.push(one);',
  },
  {
    what: 'a connection that is being closed is not waited for',
    file: 'src/pool/open-connections.ts',
    text: 'const ending = entry.connection.close().then(() => {',
    becomes: 'const closing = entry.connection.close(); const ending = Promise.resolve().then(() => { void closing;',
  },
  {
    what: 'COMMIT that went unanswered counts as failed',
    file: 'src/engine/connection-executor.ts',
    text: "if (options.commit === true && status === 'closed' && known.outcome !== 'not-sent') {",
    becomes: "if (options.commit === true && status === 'closed' && known.outcome === 'not-sent') {",
    rare: true,
  },
  {
    what: "COMMIT's own word is not looked at",
    file: 'src/engine/connection-executor.ts',
    text: "if (command === 'ROLLBACK') throw rolledBack(lease?.connectionId, cause);",
    becomes:
      "if (command === 'ROLLBACK' && cause?.outcome === 'committed') throw rolledBack(lease?.connectionId, cause);",
  },
  {
    what: 'a transaction goes on after a statement in it failed with its connection',
    file: 'src/engine/connection-executor.ts',
    text: 'const lease = held !== undefined && (this.#begun || held.usable) ? held : await this.#open(options);',
    becomes:
      'if (held?.usable === false) { this.#begun = false; this.#failure = undefined; } const lease = held?.usable === true ? held : await this.#open(options);',
  },
  {
    what: 'a rollback to a savepoint that could not be sent is forgotten',
    file: 'src/engine/connection-executor.ts',
    text: 'this.#failure ??= failure ?? transactionFailed(error as AthanorError);',
    becomes: 'void failure;',
  },
  {
    what: 'the deadline of a statement that has a signal too is not kept',
    file: 'src/engine/submit-within.ts',
    text: 'controller.abort(how({ connectionId }));',
    becomes: 'if (signal === undefined) controller.abort(how({ connectionId })); else timer.cancel();',
  },
];

/** How many schedules a planted bug may take to be found. */
export const PATIENCE = 10_000;
const ROOT: string = path.resolve(import.meta.dirname, '../..');
const PARTS = ['src', 'test/simulator', 'test/random.ts', 'test/part.ts', 'package.json'];

/** What is wrong with the table: texts that are not there exactly once. */
export function unplantable(): string[] {
  return PLANTED.filter(({ file, text }) => readFileSync(path.join(ROOT, file), 'utf8').split(text).length !== 2).map(
    ({ what, file }) => `${what} (${file})`,
  );
}

/** Plants a bug into a copy of the sources and lets the simulator loose on it. */
export async function plant(
  { file, text, becomes }: PlantedBug,
  { seed = 1, patience = PATIENCE } = {},
): Promise<SimulationCampaign> {
  const copy = mkdtempSync(path.join(tmpdir(), 'athanor-planted-'));
  try {
    for (const part of PARTS) cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
    const source = readFileSync(path.join(copy, file), 'utf8');
    writeFileSync(
      path.join(copy, file),
      source.replace(text, () => becomes),
    );
    return await runPart<SimulationCampaign>({
      program: path.join(copy, 'test/simulator/run.ts'),
      args: ['--part', '--schedules', String(patience), '--seed', String(seed), '--step', '1'],
      again: (at) => `in one of the schedules behind ${at}`,
    });
  } finally {
    rmSync(copy, { recursive: true });
  }
}
