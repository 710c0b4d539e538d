// An engine that has no database: what would be done to a schema is said, in the database's own words, and nothing else.
import type { Dialect } from '../dialect/dialect.ts';
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { SchemaBind, SchemaChange } from '../schema/metadata.ts';
import { ddlFor } from './apply-schema.ts';
import type { SchemaTranslateMap } from './options/execution-options.ts';

export interface MockEngineOptions {
  /** Takes each statement as it comes. */
  readonly write?: ((sql: string) => void) | undefined;
  readonly schemaTranslateMap?: SchemaTranslateMap | undefined;
}

const GUARD = transferGuard('A mock engine', 'Send the statements it captured.');

/** Captures the DDL of `metadata.createAll()` and `dropAll()` instead of running it. */
export class MockEngine implements SchemaBind {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly dialect: Dialect;
  readonly #options: MockEngineOptions;
  readonly #statements: string[] = [];

  constructor(dialect: Dialect, options: MockEngineOptions = {}) {
    this.dialect = dialect;
    this.#options = options;
  }

  /** What was captured, in order. */
  get statements(): readonly string[] {
    return this.#statements;
  }

  applySchema(change: SchemaChange): Promise<void> {
    for (const sql of ddlFor(this.dialect, this.#options.schemaTranslateMap).compile(change)) {
      this.#statements.push(sql);
      this.#options.write?.(sql);
    }
    return Promise.resolve();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ statements: this.#statements.length });
  }
}
