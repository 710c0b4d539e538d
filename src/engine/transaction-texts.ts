// The statements that frame a transaction, made once: drivers know a text by its object.
import type { Dialect, IsolationLevel } from '../dialect/dialect.ts';
import type { DriverStatement } from '../driver/driver.ts';

/** How transactions begin. `autocommit`: not at all; each statement stands for itself. */
export interface TransactionOptions {
  readonly isolation?: IsolationLevel | 'autocommit' | undefined;
  readonly readOnly?: boolean | undefined;
  readonly deferrable?: boolean | undefined;
}

/** A statement without parameters, rows left as the driver gives them. `prepare`: it comes again and again. */
export function plainStatement(sql: string, prepare = false): DriverStatement {
  return Object.freeze({ text: Object.freeze({ sql, params: [], results: undefined, prepare }), params: [] });
}

/** The framing statements of one dialect. */
export class TransactionTexts {
  readonly commit: DriverStatement;
  readonly rollback: DriverStatement;
  readonly #dialect: Dialect;
  /** BEGIN and no more. */
  readonly #plain: DriverStatement;
  readonly #known = new Map<string, DriverStatement>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.commit = plainStatement(dialect.transactions.commit, true);
    this.#plain = this.#remember(dialect.transactions.begin({}));
    this.rollback = plainStatement(dialect.transactions.rollback, true);
  }

  /** `undefined` for autocommit. */
  begin({ isolation, readOnly, deferrable }: TransactionOptions): DriverStatement | undefined {
    if (isolation === undefined && readOnly === undefined && deferrable === undefined) return this.#plain;
    if (isolation === 'autocommit') return undefined;
    return this.#remember(this.#dialect.transactions.begin({ isolation, readOnly, deferrable }));
  }

  /** Every statement a transaction may begin with is one of a few. */
  #remember(sql: string): DriverStatement {
    let statement = this.#known.get(sql);
    if (statement === undefined) this.#known.set(sql, (statement = plainStatement(sql, true)));
    return statement;
  }
}
