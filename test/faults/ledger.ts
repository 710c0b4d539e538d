// What a test had a database do, and what it was told became of it. Afterwards the database is asked.
import { performance } from 'node:perf_hooks';
import type { Connection } from '../../src/engine/connection.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { AthanorError } from '../../src/errors/index.ts';

export const LEDGER_SQL =
  'create table if not exists ledger (work text not null, part int not null, note text not null, primary key (work, part))';

/** One unit of work: some rows that must be there together or not at all. */
export interface Entry {
  readonly work: string;
  readonly parts: number;
  /** Acknowledged, or why not. */
  readonly error: unknown;
  readonly acked: boolean;
  /** From its start to its answer. */
  readonly took: number;
}

export interface WriteOptions {
  /** Rows of the unit. Default 2. */
  readonly parts?: number;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Called between the last row and COMMIT. */
  readonly beforeCommit?: (connection: Connection) => Promise<void> | void;
}

export class Ledger {
  readonly entries: Entry[] = [];
  readonly #note: string;
  readonly #name: string;
  #works = 0;

  /** `note` is written into every row: a parameter that must show up nowhere else. */
  constructor(name: string, note: string) {
    this.#name = name;
    this.#note = note;
  }

  get acked(): number {
    return this.entries.filter(({ acked }) => acked).length;
  }

  get failures(): readonly unknown[] {
    return this.entries.filter(({ acked }) => !acked).map(({ error }) => error);
  }

  nextWork(): string {
    this.#works += 1;
    return `${this.#name}-${this.#works}`;
  }

  insert(connection: Connection, work: string, part: number): Promise<unknown> {
    return connection.raw('insert into ledger values ($1, $2, $3)', [work, part, this.#note]).all();
  }

  /** Writes one unit in a transaction of its own and notes how that went. Never rejects. */
  write(engine: Engine, options: WriteOptions = {}): Promise<Entry> {
    const { parts = 2, timeout, signal, beforeCommit } = options;
    return this.track(parts, (work) =>
      engine.begin(
        async (connection) => {
          for (let part = 0; part < parts; part += 1) await this.insert(connection, work, part);
          await beforeCommit?.(connection);
        },
        { ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) },
      ),
    );
  }

  /** Notes how a unit of so many rows went that `run` writes by itself. Never rejects. */
  async track(parts: number, run: (work: string) => Promise<unknown>): Promise<Entry> {
    const work = this.nextWork();
    const begun = performance.now();
    let entry: Omit<Entry, 'took'>;
    try {
      await run(work);
      entry = { work, parts, acked: true, error: undefined };
    } catch (error) {
      entry = { work, parts, acked: false, error };
    }
    const noted = { ...entry, took: performance.now() - begun };
    this.entries.push(noted);
    return noted;
  }

  /** Adds an entry as it is: for tests of this harness. */
  note(entry: Entry): void {
    this.entries.push(entry);
  }
}

/** What became of each unit, against what was said of it: check A for what was acknowledged, check B for the rest. */
export function ledgerViolations(
  entries: readonly Entry[],
  counts: ReadonlyMap<string, number>,
): { readonly check: 'A' | 'B'; readonly text: string }[] {
  return entries.flatMap((entry) => {
    const found = counts.get(entry.work) ?? 0;
    if (allowedRows(entry).includes(found)) return [];
    const { work, parts, acked, error } = entry;
    const outcome = error instanceof AthanorError ? error.outcome : undefined;
    const said = acked ? 'was acknowledged' : `failed with outcome ${String(outcome)}`;
    return [{ check: acked ? 'A' : 'B', text: `${work} ${said} and has ${found} of ${parts} rows` }];
  });
}

function allowedRows({ parts, acked, error }: Entry): number[] {
  if (acked) return [parts];
  const outcome = error instanceof AthanorError ? error.outcome : undefined;
  if (outcome === 'committed') return [parts];
  return outcome === 'unknown' ? [0, parts] : [0];
}
