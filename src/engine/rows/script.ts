// SQL of several statements as it stands in a file. It is cut into its statements, which go out as one batch: nothing of
// it is a parameter, and nothing of the expression language takes part.
import type { Completion, DriverStatement, Field, Sink } from '../../driver/driver.ts';
import { objectRows } from '../../sql/row-maker.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Executor, WaitOptions } from '../executor.ts';
import { shapeOf } from '../statement-rows.ts';
import { plainStatement } from '../transaction-texts.ts';

/** What one statement of a script answered. */
export interface ScriptResult {
  /** The command the database says it ran. */
  readonly command: string;
  /** Rows affected or returned, where the database says. */
  readonly rowCount: number | undefined;
  readonly rows: readonly object[];
}

/** Runs all statements of a script. The first that fails ends it. */
export async function runScript(
  executor: Executor,
  sql: string,
  options: WaitOptions,
): Promise<readonly ScriptResult[]> {
  const statements: readonly DriverStatement[] = executor.dialect.splitScript(sql).map((text) => plainStatement(text));
  if (statements.length === 0) return [];
  const answers = new ScriptAnswers();
  await executor.submit(statements, answers, options);
  return statements.map((_, index) => answers.result(index));
}

class ScriptAnswers implements Sink {
  readonly #rows: Scalar[][][] = [];
  readonly #fields: (readonly Field[])[] = [];
  readonly #completions: Completion[] = [];

  fields(statement: number, fields: readonly Field[]): void {
    this.#fields[statement] = fields;
  }
  row(statement: number, row: Scalar[]): void {
    this.#rows[statement] ??= [];
    this.#rows[statement].push(row);
  }
  done(statement: number, completion: Completion): void {
    this.#completions[statement] = completion;
  }

  result(statement: number): ScriptResult {
    const { command = '', count } = this.#completions[statement] ?? {};
    const rows = this.#rows[statement] ?? [];
    const make = rows.length === 0 ? undefined : objectRows(shapeOf(this.#fields[statement] ?? []));
    return { command, rowCount: count, rows: make === undefined ? [] : rows.map((row) => make(row)) };
  }
}
