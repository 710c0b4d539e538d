// From a statement to its rows in the form asked for: compile or find the text, send it, and read what came.
import { objectRows, type RowMaker, scalarRows, tupleRows } from '../sql/row-maker.ts';
import type { ResultShape } from '../sql/result-shape.ts';
import { NODE } from '../sql/phantom.ts';
import { statementNode } from '../sql/raw.ts';
import type { Statement } from '../sql/statement.ts';
import type { DriverStatement, Field } from '../driver/driver.ts';
import type { ExecuteOptions, Executor } from './executor.ts';
import type { ResultSource, RowForm } from './result.ts';
import { RowCollector } from './row-collector.ts';

/** A statement of the expression language, on an executor. */
export function statementRows(
  executor: Executor,
  statement: Pick<Statement<unknown, unknown, unknown, boolean>, typeof NODE>,
  options: ExecuteOptions,
): ResultSource {
  return (form, facts) => {
    const node = statementNode(statement);
    const compiled = executor.compiled.get(node);
    const answer = new RowCollector();
    return executor.submit([compiled.bind(node)], answer, options).then(() => {
      facts.count = answer.completion?.count;
      return made(answer, form, compiled.result);
    });
  };
}

/** A statement as the driver takes it. */
export function driverRows(executor: Executor, make: () => DriverStatement, options: ExecuteOptions): ResultSource {
  return (form, facts) => {
    const answer = new RowCollector();
    return executor.submit([make()], answer, options).then(() => {
      facts.count = answer.completion?.count;
      return made(answer, form, undefined);
    });
  };
}

const MAKERS: { readonly [F in RowForm]: (shape: ResultShape) => RowMaker } = {
  objects: objectRows,
  tuples: tupleRows,
  scalars: scalarRows,
};

function made({ received, columns }: RowCollector, form: RowForm, shape: ResultShape | undefined): unknown[] {
  if (received.length === 0) return received;
  const make = MAKERS[form](shape ?? shapeOf(columns ?? []));
  const rows: unknown[] = received;
  for (let index = 0; index < rows.length; index += 1) rows[index] = make(received[index] as (typeof received)[number]);
  return rows;
}

const shapes = new WeakMap<readonly Field[], ResultShape>();

/** The shape of rows nobody described but the server. */
function shapeOf(columns: readonly Field[]): ResultShape {
  let shape = shapes.get(columns);
  if (shape === undefined) {
    const items = columns.map(({ name }, index) => ({ kind: 'value' as const, key: name, index, type: undefined }));
    shape = Object.freeze({ key: '', items });
    shapes.set(columns, shape);
  }
  return shape;
}
