// A result nobody reads is mostly a forgotten `await`: its rows are lost, and so would be its error. What is awaited
// costs nothing here; the rest is watched, and said so with the place it was asked for.
import { CallSite } from '../primitives/call-site.ts';

/** How many results note their call site before anything was found forgotten, and again after each that was. */
const SAMPLES = 256;
let samples = SAMPLES;

/** Where a result is asked for, while that is being sampled: a forgotten one is rarely alone. `above` is the public method. */
export function resultSite(above: (...args: never[]) => unknown): CallSite | undefined {
  if (samples <= 0) return undefined;
  samples -= 1;
  return new CallSite(above, 3);
}

const forgotten = new FinalizationRegistry<CallSite | undefined>((site) => {
  warn('was never read: is an await missing?', site);
});

/** Keeps an eye on one result. */
export class ResultWatch {
  readonly #site: CallSite | undefined;
  #read = false;
  #watched = false;

  constructor(site: CallSite | undefined) {
    this.#site = site;
  }

  /** Somebody asked for the rows. */
  read(result: object): void {
    this.#read = true;
    if (this.#watched) forgotten.unregister(result);
    this.#watched = false;
  }

  /** The statement was started and the tick in which it was asked for is over. */
  look(result: object, rows: Promise<unknown>): void {
    if (this.#read) return;
    this.#watched = true;
    forgotten.register(result, this.#site, result);
    rows.catch((error: unknown) => {
      // Somebody may still be on the way to it.
      setImmediate(() => {
        if (this.#read) return;
        forgotten.unregister(result);
        warn(`was not read, and failed: ${String(error).split('\n', 1)[0]}`, this.#site);
      });
    });
  }
}

function warn(what: string, site: CallSite | undefined): void {
  samples = SAMPLES;
  const where = site === undefined ? '' : ` It was asked for at ${site.toString()}.`;
  process.emitWarning(`A result ${what}${where}`, { type: 'AthanorWarning', code: 'ATH_RESULT_UNREAD' });
}
