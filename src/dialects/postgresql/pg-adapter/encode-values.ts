// Parameters as node-postgres sends them: each the text PostgreSQL reads, never left to its own conversions.
import type { Scalar, StatementText } from '../../../driver/driver.ts';
import { DataError, UsageError } from '../../../errors/index.ts';
import { textProblem } from '../wire/message-writer.ts';
import { parameterText } from '../wire/parameter-text.ts';
import { MAX_PARAMETERS, namedParameter, tooManyParameters } from '../wire/parameters.ts';

function encoded(value: Scalar, kind: StatementText['params'][number]): string | null {
  if (value === null) return null;
  const text = parameterText(value, kind);
  const problem = textProblem(text);
  if (problem !== undefined) throw new DataError(problem);
  return text;
}

/** One parameter set. Throws before anything is sent: DataError (ATH_DATA) names the parameter that cannot be. */
export function encodeValues(text: StatementText, values: readonly Scalar[]): (string | null)[] {
  if (values.length > MAX_PARAMETERS) throw tooManyParameters(values.length);
  return values.map((value, i) => {
    try {
      return encoded(value, text.params[i]);
    } catch (error) {
      throw namedParameter(error, i);
    }
  });
}

/** The SQL itself, which the protocol ends at a NUL. */
export function checkSql(sql: string): void {
  const problem = textProblem(sql);
  if (problem !== undefined) throw new UsageError(`the SQL text ${problem}`, { outcome: 'not-sent' });
}
