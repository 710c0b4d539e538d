// Many rows as one array for each column: the statement's text does not depend on their number.
import { UnsupportedError } from '../../errors/index.ts';
import type { TableColumn } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import { type CompileContext, parameter } from './context.ts';

export interface Unnested {
  /** `unnest(...) AS given(c0, c1)`. */
  readonly from: string;
  /** Each column's value, in the order of the columns. */
  readonly values: readonly string[];
}

/** The context is at the rows. With `position` each row has a number, counted from 1. */
export function unnestFrom(context: CompileContext, columns: readonly TableColumn[], position: boolean): Unnested {
  const { unnest } = context.rules;
  if (unnest === undefined) throw new UnsupportedError('This database cannot make rows of arrays.');
  const arrays = columns.map((column, index) => {
    const { cast, wire, read } = unnest.arrayOf(column);
    const turned = (found: unknown): Scalar =>
      (found as readonly (readonly Scalar[])[]).map((row) => read(row[index] as Scalar));
    return `CAST(${parameter(context, wire, turned)} AS ${cast})`;
  });
  const names = [...columns.map((_, index) => `c${index}`), ...(position ? ['ord'] : [])];
  const ordinality = position ? ' WITH ORDINALITY' : '';
  return {
    from: `unnest(${arrays.join(', ')})${ordinality} AS given(${names.join(', ')})`,
    values: columns.map((column, index) => unnest.element(column, `given.c${index}`)),
  };
}
