// The cursor as its reader has it: it knows where it stands and which transaction it lives in, so that a page is never
// asked of a portal that went away with its transaction; that question would fail the next one.
import type { CursorPage, DriverCursor, DriverStatement, Field, SubmitOptions } from '../../../driver/driver.ts';
import { StateError, UsageError } from '../../../errors/index.ts';
import type { Pipeline } from './pipeline.ts';
import { ClosePortal, FetchPortal, type OpenedPortal, OpenPortal } from './portal.ts';

const MAX_COUNT = 2 ** 31 - 1;
const NO_ROWS: CursorPage = Object.freeze({ rows: [], done: true });

class PortalCursor implements DriverCursor {
  readonly fields: readonly Field[];
  readonly #pipeline: Pipeline;
  readonly #portal: string;
  readonly #sql: string;
  readonly #opened: OpenedPortal;
  readonly #epoch: number;
  #done = false;
  #closing: Promise<void> | undefined;

  constructor(pipeline: Pipeline, opened: OpenedPortal, { portal, sql }: { portal: string; sql: string }) {
    this.fields = opened.columns;
    this.#pipeline = pipeline;
    this.#opened = opened;
    this.#portal = portal;
    this.#sql = sql;
    this.#epoch = pipeline.state.epoch;
  }

  async fetch(count: number, options?: SubmitOptions): Promise<CursorPage> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT)
      throw new UsageError(`a cursor is read by a whole number of rows from 1 to ${MAX_COUNT}`);
    if (this.#closing !== undefined) throw new StateError('the cursor is closed', { outcome: 'not-sent' });
    if (this.#done) return NO_ROWS;
    if (this.#gone) throw new StateError("the cursor's transaction is over", { outcome: 'not-sent' });
    const page = await new Promise<CursorPage>((resolve, reject) => {
      const { decode } = this.#opened;
      const place = { portal: this.#portal, sql: this.#sql, count, decode };
      this.#pipeline.submit(new FetchPortal({ ...place, signal: options?.signal, resolve, reject }));
    });
    this.#done ||= page.done;
    return page;
  }

  close(): Promise<void> {
    this.#closing ??= this.#gone ? Promise.resolve() : this.#close();
    return this.#closing;
  }

  /** What closes a portal beside us, an end of the transaction or the connection, has done the same. */
  async #close(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const place = { portal: this.#portal, sql: this.#sql };
        this.#pipeline.submit(new ClosePortal({ ...place, signal: undefined, resolve, reject }));
      });
    } catch (error) {
      if (this.#pipeline.state.status !== 'closed') throw error;
    }
  }

  get #gone(): boolean {
    const { epoch, status } = this.#pipeline.state;
    return epoch !== this.#epoch || status === 'closed';
  }
}

/** Opens a cursor over `item` by the name `portal`, which must be new. */
export async function openCursor(
  pipeline: Pipeline,
  item: DriverStatement,
  { portal, signal }: { readonly portal: string; readonly signal: AbortSignal | undefined },
): Promise<DriverCursor> {
  if (item.sets !== undefined) throw new UsageError('a cursor takes one set of parameters', { outcome: 'not-sent' });
  const place = { portal, sql: item.text.sql };
  return new Promise((resolve, reject) => {
    // Made at once, while the transaction it belongs to is the one that stands.
    const opened = (found: OpenedPortal): void => resolve(new PortalCursor(pipeline, found, place));
    pipeline.submit(new OpenPortal({ item, portal, signal, resolve: opened, reject }));
  });
}
