// COPY TO STDOUT: while the target is busy the socket is not read, so what waits is at most what one read brought.
import type { CopyTarget } from '../../../driver/copy.ts';
import type { Completion } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import { deferred } from '../../../primitives/deferred.ts';
import { parseTag } from '../wire/completion-tag.ts';
import { violation } from '../wire/protocol.ts';
import { checkSql } from './encode-values.ts';
import { Exchange, type Write } from './exchange.ts';
import type { PgMessage, PgWire } from './pg-module.ts';

export class CopyOut extends Exchange {
  readonly statements: readonly string[];
  completion: Completion | undefined;
  readonly #target: CopyTarget;
  readonly #stop: () => Promise<void>;
  #wire: PgWire | undefined;
  #copying = false;
  #stopped = false;
  readonly #dropped = deferred<void>();
  #pending: Uint8Array[] = [];
  #busy = false;
  #draining: Promise<void> | undefined;

  /** `stop` has the server end the COPY. */
  constructor(
    copy: { readonly sql: string; readonly target: CopyTarget; readonly stop: () => Promise<void> },
    signal: AbortSignal | undefined,
  ) {
    super(signal);
    this.statements = [copy.sql];
    this.#target = copy.target;
    this.#stop = copy.stop;
  }

  compose(): Write {
    const sql = this.statements[0] as string;
    checkSql(sql);
    return (wire) => {
      this.#wire = wire;
      wire.parse({ name: '', text: sql });
      wire.bind({ portal: '', statement: '', values: [] });
      wire.execute({ portal: '', rows: 0 });
      wire.sync();
    };
  }

  answer(message: PgMessage): string | undefined {
    switch (message.name) {
      case 'copyData':
        this.#chunk(message['chunk'] as Uint8Array);
        return undefined;
      case 'copyOutResponse':
        this.#copying = true;
        return undefined;
      case 'copyInResponse':
        // The Sync that was sent is taken for a part of the data: another has to follow.
        this.error = this.#usage('COPY ... FROM');
        this.#wire?.sendCopyFail('no data');
        this.#wire?.sync();
        return undefined;
      case 'commandComplete': {
        const tag = parseTag(String(message['text']));
        this.complete = true;
        this.completion = { command: tag.command, count: tag.count };
        if (!this.#copying) this.fail(this.#usage(tag.command));
        return tag.command;
      }
      case 'emptyQuery':
        this.fail(this.#usage('nothing'));
        return undefined;
      case 'parseComplete':
      case 'bindComplete':
      case 'dataRow':
      case 'copyDone':
        return undefined;
      default:
        return violation(`message '${message.name}' in the answer to COPY`);
    }
  }

  override aborted(): void {
    this.#drop();
  }

  /** What was read still has to reach the target. */
  override rest(): Promise<void> | undefined {
    return this.#busy ? this.#draining : undefined;
  }

  override finish(): void {
    this.#drop();
    super.finish();
  }

  #usage(given: string): UsageError {
    return new UsageError(`copyTo takes COPY ... TO STDOUT, and this was ${given}`);
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#stopped || this.error !== undefined) return;
    // The parser uses its memory again.
    this.#pending.push(new Uint8Array(bytes));
    if (!this.#busy) this.#draining = this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      for (let chunk = this.#pending.shift(); chunk !== undefined && !this.#stopped; chunk = this.#pending.shift()) {
        const taken = this.#target(chunk);
        if (taken === undefined) continue;
        this.#wire?.stream.pause();
        await Promise.race([taken, this.#dropped.promise]);
      }
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#busy = false;
      this.#wire?.stream.resume();
    }
  }

  #refuse(error: unknown): void {
    if (this.#stopped) return;
    this.error ??= error;
    this.#drop();
    // Where it cannot be stopped it is read to its end and dropped.
    if (!this.complete) this.#stop().catch(() => {});
  }

  #drop(): void {
    this.#stopped = true;
    this.#dropped.resolve();
    this.#pending = [];
    this.#wire?.stream.resume();
  }
}
