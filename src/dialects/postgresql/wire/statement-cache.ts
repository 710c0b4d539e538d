// The named statements of one connection, bounded on both ends: the one used longest ago is dropped here and closed
// on the server with the next batch. Names are never used twice, so a statement that was lost cannot be mistaken.
import { PreparedStatement } from './prepared-statement.ts';

export class StatementCache {
  #named = true;
  readonly #limit: number;
  readonly #bySql = new Map<string, PreparedStatement>();
  #closing: string[] = [];
  #uses = 0;
  #names = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether statements are given names at all. */
  get names(): boolean {
    return this.#named;
  }

  /** Gives no names from now on; those given are forgotten. */
  stopNaming(): void {
    this.#named = false;
    this.clear();
  }

  get size(): number {
    return this.#bySql.size;
  }

  /** The statement for `sql`, ready or not. */
  find(sql: string): PreparedStatement | undefined {
    const found = this.#bySql.get(sql);
    if (found !== undefined) found.used = ++this.#uses;
    return found;
  }

  /** A new named statement, not ready yet. */
  add(sql: string): PreparedStatement {
    if (this.#bySql.size >= this.#limit) this.#dropOldest();
    this.#names += 1;
    const statement = new PreparedStatement(sql, `ath${this.#names}`);
    statement.used = ++this.#uses;
    this.#bySql.set(sql, statement);
    return statement;
  }

  /** Forgets a statement that never came to be. */
  remove(statement: PreparedStatement): void {
    if (this.#bySql.get(statement.sql) === statement) this.#bySql.delete(statement.sql);
  }

  /** Forgets a statement and has the server close it. */
  evict(statement: PreparedStatement): void {
    if (statement.name === '') return;
    this.remove(statement);
    this.#closing.push(statement.name);
  }

  /** Forgets all: the server already has (`DISCARD ALL`, `DEALLOCATE ALL`). */
  clear(): void {
    this.#bySql.clear();
    this.#closing = [];
  }

  /** The names to close on the server now. */
  takeClosing(): readonly string[] {
    if (this.#closing.length === 0) return NONE;
    const closing = this.#closing;
    this.#closing = [];
    return closing;
  }

  /** Takes back names whose closing was not sent after all. */
  returnClosing(names: readonly string[]): void {
    this.#closing.push(...names);
  }

  #dropOldest(): void {
    let oldest: PreparedStatement | undefined;
    for (const statement of this.#bySql.values()) {
      if (oldest === undefined || statement.used < oldest.used) oldest = statement;
    }
    if (oldest !== undefined) this.evict(oldest);
  }
}

const NONE: readonly string[] = Object.freeze([]);
