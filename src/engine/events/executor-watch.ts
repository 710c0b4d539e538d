// What one executor tells those who look on at its connection or its engine. Its `idle` is the one check a statement
// pays where nobody does.
import { noteDerived } from '../../dialect/compile-facts.ts';
import type { DriverStatement, StatementText } from '../../driver/driver.ts';
import { type AthanorError, DatabaseError, UsageError } from '../../errors/index.ts';
import type { Lease } from '../../pool/lease.ts';
import type { CallSite } from '../../primitives/call-site.ts';
import { Lru } from '../../primitives/lru.ts';
import { ended, TRANSACTION, type TransactionTrace } from './channels.ts';
import type { ConnectionEvent, StatementChange } from './engine-events.ts';
import type { EngineFacts } from './engine-facts.ts';
import type { EngineWatch } from './engine-watch.ts';
import { atOnce, EventHub } from './event-hub.ts';
import { connectionEvent, type SentBatch, statementEvent, StatementTrace, within } from './statement-trace.ts';

/** A batch with what was put before it. */
export interface BegunBatch extends SentBatch {
  /** BEGIN goes first. */
  readonly begins: boolean;
  readonly savepoints: readonly string[];
}

export class ExecutorWatch {
  readonly #watch: EngineWatch;
  readonly #token: string | undefined;
  #hub: EventHub;
  /** The connection of the transaction whose BEGIN was told of. */
  #begun: Lease | undefined;
  #transaction: TransactionTrace | undefined;
  #failure: AthanorError | undefined;
  #xid: string | undefined;

  /** `token` is what the application calls this use of a connection. */
  constructor(watch: EngineWatch, token?: string) {
    this.#watch = watch;
    this.#token = token;
    this.#hub = watch.hub;
  }

  /** Nobody looks on. */
  get idle(): boolean {
    return this.#watch.idle(this.#hub);
  }

  /** Whether somebody may have a word between the last statement and COMMIT: then they do not go together. */
  get between(): boolean {
    return (
      !this.#hub.quiet && (['beforeExecute', 'afterExecute', 'commit'] as const).some((name) => this.#hub.hears(name))
    );
  }

  /** For what is told at more than one place. */
  get home(): { readonly hub: EventHub; readonly facts: EngineFacts } {
    return { hub: this.#hub, facts: this.#watch.facts };
  }

  /** Those who listen to this executor alone. */
  get listeners(): EventHub {
    if (this.#hub === this.#watch.hub) this.#hub = new EventHub(this.#watch.hub);
    return this.#hub;
  }

  /** What is sent in place of these. Throws what a listener throws; nothing was sent then. */
  before(batch: readonly DriverStatement[], lease: Lease, site: CallSite | undefined): readonly DriverStatement[] {
    if (!this.#hub.hears('beforeExecute')) return batch;
    return within(site, () => batch.map((statement) => this.#replaced(statement, lease, site)));
  }

  /** The batch goes out now. */
  start(sent: BegunBatch): StatementTrace {
    const { lease, begins, savepoints, site } = sent;
    // A batch that could not be sent is sent again.
    if (begins && this.#begun === undefined) within(site, () => this.#begin(lease));
    for (const savepoint of savepoints) this.#hub.tell('savepoint', { ...this.#event(lease), savepoint });
    return new StatementTrace(sent, {
      watch: this.#watch,
      hub: this.#hub,
      token: this.#token,
      transaction: this.#transaction,
    });
  }

  /** COMMIT is about to go out, or PREPARE under a name. Throws what a listener throws: then it must not. */
  committing(lease: Lease | undefined, xid?: string): void {
    if (lease === undefined || this.#hub.quiet) return;
    if (xid === undefined) this.#hub.call('commit', this.#event(lease));
    else this.#hub.call('prepareTwoPhase', { ...this.#event(lease), xid });
  }

  /** ROLLBACK is about to go out, or the connection is gone. */
  rollingBack(lease: Lease | undefined): void {
    if (lease !== undefined && !this.#hub.quiet) this.#hub.tell('rollback', this.#event(lease));
  }

  savepoint(name: 'rollbackSavepoint' | 'releaseSavepoint', lease: Lease | undefined, savepoint: string): void {
    if (lease !== undefined && !this.#hub.quiet) this.#hub.tell(name, { ...this.#event(lease), savepoint });
  }

  /** The transaction whose BEGIN is to come can be prepared under this name. */
  twoPhaseBegins(xid: string): void {
    this.#xid = xid;
  }

  twoPhase(name: 'commitTwoPhase' | 'rollbackTwoPhase', lease: Lease | undefined, xid: string): void {
    if (lease !== undefined && !this.#hub.quiet) this.#hub.tell(name, { ...this.#event(lease), xid });
  }

  /** The transaction has ended. */
  ended(how: 'commit' | 'rollback' | 'prepare', lease: Lease | undefined): void {
    const transaction = this.#transaction;
    const failure = this.#failure;
    const on = lease ?? this.#begun;
    this.#transaction = undefined;
    this.#begun = undefined;
    this.#failure = undefined;
    this.#xid = undefined;
    if (transaction !== undefined) {
      transaction.outcome = failure?.outcome === 'unknown' ? 'unknown' : how;
      ended(TRANSACTION, transaction, how === 'rollback' ? failure : undefined);
    }
    if (how === 'commit' && on !== undefined && !this.#hub.quiet) this.#hub.tell('afterCommit', this.#event(on));
  }

  /** There was no connection to be had. Gives what the caller gets. */
  refused(error: AthanorError): Error {
    if (this.#hub.quiet) return error;
    const event = { engine: this.#watch.facts, connectionId: undefined, sql: undefined, isDisconnect: true };
    return this.#watch.replaced({ ...event, error }, this.#hub);
  }

  /** A batch failed. Gives what the caller gets. */
  failed(error: AthanorError, lease: Lease, sql: string | undefined): Error {
    if (this.#begun !== undefined) this.#failure = error;
    if (!this.#hub.hears('handleError')) return error;
    const { connectionId } = lease;
    const lost = !lease.usable;
    const event = { engine: this.#watch.facts, connectionId, error: error as Error, sql, isDisconnect: lost };
    const told = this.#watch.replaced(event, this.#hub);
    if (event.isDisconnect && !lost) {
      lease.invalidate('a listener says that the connection is gone');
      this.#watch.invalidate();
      if (error instanceof DatabaseError) Object.defineProperty(error, 'connectionInvalidated', { value: true });
    }
    return told;
  }

  #event(lease: Lease): ConnectionEvent {
    return connectionEvent(this.#watch, lease);
  }

  #begin(lease: Lease): void {
    this.#begun = lease;
    if (TRANSACTION.hasSubscribers) {
      this.#transaction = { engine: this.#watch.facts, connectionId: lease.connectionId };
      TRANSACTION.start.publish(this.#transaction);
      TRANSACTION.end.publish(this.#transaction);
    }
    if (this.#hub.quiet) return;
    if (this.#xid === undefined) this.#hub.tell('begin', this.#event(lease));
    else this.#hub.tell('beginTwoPhase', { ...this.#event(lease), xid: this.#xid });
  }

  #replaced(statement: DriverStatement, lease: Lease, site: CallSite | undefined): DriverStatement {
    let current = statement;
    for (const listener of this.#hub.of('beforeExecute')) {
      const change = atOnce('beforeExecute', listener(statementEvent(current, this.#event(lease), site)));
      if (change !== undefined) current = changed(current, change);
    }
    return current;
  }
}

/** Different texts that are remembered for one: a text the driver knows keeps its prepared statement. */
const KEPT = 32;
const texts = new WeakMap<StatementText, Lru<string, StatementText>>();

function changed(statement: DriverStatement, { sql = statement.text.sql, params }: StatementChange): DriverStatement {
  if (params !== undefined && statement.sets !== undefined) {
    throw new UsageError('beforeExecute cannot replace the values of a statement with several sets.', {
      outcome: 'not-sent',
    });
  }
  const values = params ?? statement.params;
  const kinds = values.length === statement.params.length ? statement.text.params : values.map(() => undefined);
  if (sql === statement.text.sql && kinds === statement.text.params) return { ...statement, params: values };
  return { ...statement, params: values, text: textWith(statement.text, sql, kinds) };
}

function textWith(from: StatementText, sql: string, params: StatementText['params']): StatementText {
  let known = texts.get(from);
  if (known === undefined) texts.set(from, (known = new Lru(KEPT)));
  const key = `${params.length} ${sql}`;
  let text = known.get(key);
  if (text === undefined) {
    known.set(key, (text = Object.freeze({ ...from, sql, params })));
    noteDerived(text, from);
  }
  return text;
}
