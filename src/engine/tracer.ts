// Statements as somebody reads them who wants to know what is going on: text, time, rows, whether the text was known,
// who called. Nobody listens by default, and then nothing of this runs.
import { type CompileFacts, compileFacts } from '../dialect/compile-facts.ts';
import type { DriverStatement, StatementText } from '../driver/driver.ts';
import type { CallSite } from '../primitives/call-site.ts';
import { debugWriter } from '../primitives/debug.ts';
import type { CountingSink } from './events/counting-sink.ts';
import type { Logger } from './events/logger.ts';
import { shownParameters } from './events/shown-parameters.ts';

/** `true` prints to the logger, or else to standard error; `values` as well, with the values of parameters. A function takes the lines. */
export type Echo = boolean | 'values' | ((line: string) => void);

/** A batch that was answered, or was not. */
export interface TracedBatch {
  readonly batch: readonly DriverStatement[];
  readonly counts: CountingSink;
  readonly connectionId: string;
  /** What the application calls this use of the connection. */
  readonly token: string | undefined;
  readonly site: CallSite | undefined;
  /** Milliseconds. */
  readonly duration: number;
}

type Write = (line: string, fields: Readonly<Record<string, unknown>>) => void;

export interface TracerOptions {
  readonly echo?: Echo | undefined;
  readonly logger?: Logger | undefined;
  /** What lines begin with. */
  readonly name: string | undefined;
  /** Whether compiled texts are kept. */
  readonly caching: boolean;
}

/** Writes a line for each statement. */
export class Tracer {
  readonly #info: Write;
  readonly #error: Write;
  readonly #options: TracerOptions;
  readonly #known = new WeakSet<CompileFacts>();

  constructor(options: TracerOptions, writers: { readonly info: Write; readonly error: Write }) {
    this.#options = options;
    this.#info = writers.info;
    this.#error = writers.error;
  }

  /** Writes what became of a batch. */
  log(traced: TracedBatch, error: unknown): void {
    traced.batch.forEach((statement, index) => this.#statement(traced, statement, traced.counts.rows(index)));
    if (error === undefined) return;
    const why = (error instanceof Error ? String(error) : 'not by an error').split('\n', 1)[0];
    const { duration, connectionId } = traced;
    this.#error(this.#named(`failed after ${duration.toFixed(1)} ms on connection ${connectionId}: ${why}`), {
      connectionId,
      duration,
      error,
    });
  }

  #statement(traced: TracedBatch, statement: DriverStatement, rows: number | undefined): void {
    const { connectionId, token, site, duration } = traced;
    const sql = statement.text.sql.replace(/\s+/g, ' ');
    const cache = this.#cache(statement.text);
    const parts = [
      `${duration.toFixed(1)} ms`,
      rows === undefined ? '- rows' : `${rows} row${rows === 1 ? '' : 's'}`,
      cache,
      `connection ${connectionId}${token === undefined ? '' : ` [${token}]`}`,
      ...(site === undefined ? [] : [`at ${site.toString()}`]),
    ];
    const values = shownParameters(statement, this.#options.echo === 'values');
    this.#info(this.#named(`${sql}${values}  -- ${parts.join(', ')}`), {
      sql,
      duration,
      rows,
      cache,
      connectionId,
      ...(token === undefined ? {} : { token }),
      ...(site === undefined ? {} : { site: site.toString() }),
    });
  }

  /** What the cache of compiled texts had to do with it. */
  #cache(text: StatementText): string {
    const facts = compileFacts(text);
    if (facts === undefined) return 'no key';
    const known = this.#known.has(facts);
    this.#known.add(facts);
    if (known) return `cached since ${((performance.now() - facts.madeAt) / 1_000).toFixed(1)} s`;
    return `${this.#options.caching ? '' : 'caching disabled, '}generated in ${facts.took.toFixed(2)} ms`;
  }

  #named(line: string): string {
    return this.#options.name === undefined ? line : `[${this.#options.name}] ${line}`;
  }
}

/** The tracer an engine's options and the environment ask for, if they do. */
export function tracerFor(options: TracerOptions): Tracer | undefined {
  const { echo, logger } = options;
  if (echo === undefined || echo === false) {
    const debug = debugWriter('sql');
    return debug === undefined ? undefined : new Tracer(options, { info: debug, error: debug });
  }
  if (echo instanceof Function) {
    const write: Write = (line) => echo(line);
    return new Tracer(options, { info: write, error: write });
  }
  if (logger !== undefined) {
    return new Tracer(options, {
      info: (line, fields) => logger.info(line, fields),
      error: (line, fields) => logger.error(line, fields),
    });
  }
  const write: Write = (line) => void process.stderr.write(`${line}\n`);
  return new Tracer(options, { info: write, error: write });
}
