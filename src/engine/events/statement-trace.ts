// One batch under way, for those who look on: counted, timed, and told of when it has been answered.
import type { DriverStatement, Sink } from '../../driver/driver.ts';
import type { Lease } from '../../pool/lease.ts';
import type { CallSite } from '../../primitives/call-site.ts';
import { ended, QUERY, type QueryTrace, type TracedText, type TransactionTrace } from './channels.ts';
import { CountingSink } from './counting-sink.ts';
import type { ConnectionEvent, StatementEvent } from './engine-events.ts';
import type { EngineWatch } from './engine-watch.ts';
import type { EventHub } from './event-hub.ts';
import { TracedCall } from './traced-call.ts';

/** What goes over the wire, and which part of it is the caller's. */
export interface SentBatch {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  /** Statements before the caller's. */
  readonly offset: number;
  /** Statements of the caller's. */
  readonly count: number;
  readonly lease: Lease;
  readonly site: CallSite | undefined;
}

export interface StatementTraceOptions {
  readonly watch: EngineWatch;
  readonly hub: EventHub;
  readonly token: string | undefined;
  readonly transaction: TransactionTrace | undefined;
}

export class StatementTrace {
  /** Takes the place of the batch's sink. */
  readonly sink: CountingSink;
  readonly #sent: SentBatch;
  readonly #options: StatementTraceOptions;
  readonly #begun: number = performance.now();
  #published: QueryTrace | undefined;

  constructor(sent: SentBatch, options: StatementTraceOptions) {
    this.sink = new CountingSink(sent.sink);
    this.#sent = sent;
    this.#options = options;
  }

  /** Sends it: `work` does. */
  send(work: () => Promise<void>): Promise<void> {
    if (!QUERY.hasSubscribers) return work();
    const context = this.#context();
    this.#published = context;
    return within(this.#sent.site, () => {
      const answer = QUERY.start.runStores(context, work);
      QUERY.end.publish(context);
      return answer;
    });
  }

  /** It was answered, or failed. */
  end(error: unknown): void {
    const { batch, offset, count, lease, site } = this.#sent;
    const { watch, hub, token } = this.#options;
    const duration = performance.now() - this.#begun;
    const { connectionId } = lease;
    watch.tracer?.log({ batch, counts: this.sink, connectionId, token, site, duration }, error);
    if (this.#published !== undefined) {
      this.#published.rows = Array.from({ length: count }, (_, index) => this.sink.rows(offset + index));
      ended(QUERY, this.#published, error);
    }
    if (error !== undefined || !hub.hears('afterExecute')) return;
    within(site, () => {
      for (let index = offset; index < offset + count; index += 1) {
        const event = statementEvent(batch[index] as DriverStatement, connectionEvent(watch, lease), site);
        hub.tell('afterExecute', { ...event, duration, rows: this.sink.rows(index) });
      }
    });
  }

  #context(): QueryTrace {
    const { batch, offset, count, lease } = this.#sent;
    const { watch, transaction } = this.#options;
    return {
      engine: watch.facts,
      connectionId: lease.connectionId,
      statements: batch.slice(offset, offset + count).map(tracedText),
      texts: batch.map(({ text }) => text.sql),
      transaction,
    };
  }
}

function tracedText({ text, params, sets }: DriverStatement): TracedText {
  return { sql: text.sql, parameters: sets?.[0]?.length ?? params.length, sets: sets?.length };
}

/** Runs `work` where the caller was, as far as that is known. */
export function within<T>(site: CallSite | undefined, work: () => T): T {
  return site instanceof TracedCall ? site.within(work) : work();
}

export function connectionEvent(watch: EngineWatch, lease: Lease): ConnectionEvent {
  return { engine: watch.facts, connectionId: lease.connectionId, info: lease.info };
}

export function statementEvent(
  { text, params, sets }: DriverStatement,
  event: ConnectionEvent,
  site: CallSite | undefined,
): StatementEvent {
  return { ...event, sql: text.sql, params: sets?.[0] ?? params, sets, site };
}
