// Statements as somebody reads them who wants to know what is going on: text, time, rows, whether the text was known,
// who called. Nobody listens by default, and then nothing of this runs.
import type { Completion, DriverStatement, Field, Sink, StatementText } from '../driver/driver.ts';
import type { CallSite } from '../primitives/call-site.ts';
import { debugWriter } from '../primitives/debug.ts';
import type { Scalar } from '../types/wire.ts';

/** `true` prints to standard error; `values` as well, with the values of parameters. A function takes the lines. */
export type Echo = boolean | 'values' | ((line: string) => void);

export interface TracedBatch {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly connectionId: string | undefined;
  readonly site: CallSite | undefined;
}

/** A batch under way. */
export interface Trace {
  /** Takes the place of the batch's sink. */
  readonly sink: Sink;
  end(error: unknown): void;
}

/** Writes a line for each statement. */
export class Tracer {
  readonly #write: (line: string) => void;
  readonly #values: boolean;
  readonly #known = new WeakSet<StatementText>();

  constructor(write: (line: string) => void, values: boolean) {
    this.#write = write;
    this.#values = values;
  }

  start(traced: TracedBatch): Trace {
    const begun = performance.now();
    const counter = new CountingSink(traced.sink);
    return {
      sink: counter,
      end: (error) => {
        const time = `${(performance.now() - begun).toFixed(1)} ms`;
        traced.batch.forEach((statement, index) => {
          this.#write(
            this.#line(traced, { statement, time, rows: counter.rows[index], done: counter.completions[index] }),
          );
        });
        if (error !== undefined)
          this.#write(
            `failed after ${time}: ${(error instanceof Error ? String(error) : 'not by an error').split('\n', 1)[0]}`,
          );
      },
    };
  }

  #line({ connectionId, site }: TracedBatch, one: TracedStatement): string {
    const { text } = one.statement;
    const known = this.#known.has(text);
    this.#known.add(text);
    const rows = one.rows ?? one.done?.count;
    const parts = [
      one.time,
      rows === undefined ? '- rows' : `${rows} row${rows === 1 ? '' : 's'}`,
      known ? 'cached' : 'new',
      `connection ${connectionId ?? '-'}`,
      site === undefined ? undefined : `at ${site.toString()}`,
    ];
    return `${text.sql.replace(/\s+/g, ' ')}${this.#parameters(one.statement)}  -- ${parts.filter((part) => part !== undefined).join(', ')}`;
  }

  #parameters({ params, sets }: DriverStatement): string {
    if (sets !== undefined) return ` [${sets.length} sets of ${sets[0]?.length ?? 0}]`;
    if (params.length === 0) return '';
    return this.#values ? ` [${params.map(shown).join(', ')}]` : ` [${params.length} values]`;
  }
}

interface TracedStatement {
  readonly statement: DriverStatement;
  readonly time: string;
  readonly rows: number | undefined;
  readonly done: Completion | undefined;
}

class CountingSink implements Sink {
  readonly #sink: Sink;
  readonly rows: number[] = [];
  readonly completions: Completion[] = [];
  constructor(sink: Sink) {
    this.#sink = sink;
  }
  fields(statement: number, fields: readonly Field[]): void {
    this.rows[statement] ??= 0;
    this.#sink.fields?.(statement, fields);
  }
  row(statement: number, row: Scalar[]): void {
    this.rows[statement] = (this.rows[statement] ?? 0) + 1;
    this.#sink.row(statement, row);
  }
  done(statement: number, completion: Completion): void {
    this.completions[statement] = completion;
    this.#sink.done?.(statement, completion);
  }
}

function shown(value: Scalar): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** The tracer an engine's options and the environment ask for, if they do. */
export function tracerFor(echo: Echo | undefined): Tracer | undefined {
  const debug = debugWriter('sql');
  if (echo === undefined || echo === false) return debug === undefined ? undefined : new Tracer(debug, false);
  const write = typeof echo === 'function' ? echo : (line: string) => void process.stderr.write(`${line}\n`);
  return new Tracer(write, echo === 'values');
}
