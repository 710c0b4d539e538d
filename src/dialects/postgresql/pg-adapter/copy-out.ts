// COPY TO STDOUT: while the target is busy the socket is not read, so what waits is at most what one read brought.
import type { CopyTarget } from '../../../driver/copy.ts';
import type { Completion } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
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
  /** Ends the wait for a target that nobody waits for any more. */
  #release: () => void = () => {};
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
    this.#pending.push(bytes);
    if (this.#busy) return;
    this.#busy = true;
    this.#draining = this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      // What one read brought goes as one piece: most messages are a row of a few bytes.
      await Promise.resolve();
      while (this.#pending.length > 0 && !this.#stopped) {
        const taken = this.#target(joined(this.#pending.splice(0)));
        if (taken === undefined) continue;
        if (this.#stopped) {
          taken.catch(() => {});
          return;
        }
        this.#wire?.stream.pause();
        await this.#orDropped(taken);
      }
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#busy = false;
      this.#wire?.stream.resume();
    }
  }

  #orDropped(taken: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      taken.then(resolve, reject);
    });
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
    this.#release();
    this.#pending = [];
    this.#wire?.stream.resume();
  }
}

/** One piece in memory of its own: the parser uses its again. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
