// How a statement becomes text: pure and synchronous. What comes out is frozen and cached by the statement's shape,
// so the second statement of the same shape costs a look-up and a bind.
import type { DriverStatement, Scalar, StatementText } from '../driver/driver.ts';
import type { SchemaChange } from '../schema/metadata.ts';
import type { BulkNode } from '../sql/bulk.ts';
import type { StatementNode } from '../sql/node.ts';
import type { ResultShape } from '../sql/result-shape.ts';

/** A statement as text, with the way to its parameters and from its rows. */
export interface Compiled {
  readonly text: StatementText;
  /** What a row of it holds, in the order selected. `undefined` for a statement that returns no rows. */
  readonly result: ResultShape | undefined;
  /** The parameters of any statement of the same shape, in the order of `text.params`. */
  bind(statement: StatementNode): DriverStatement;
}

/** Many rows of one shape as one statement: arrays unnested on the server, or parameter sets, whichever the dialect has. */
export interface CompiledBulk {
  readonly text: StatementText;
  readonly result: ResultShape | undefined;
  /** `rows` hold scalars in the order of the node's parameter columns. */
  bind(rows: readonly (readonly Scalar[])[]): DriverStatement;
}

/** The schema a table is written with, for the one it names; `undefined` is none. */
export type SchemaOf = (schema: string | undefined) => string | undefined;

export interface SqlCompiler {
  compile(statement: StatementNode): Compiled;
  compileBulk(bulk: BulkNode): CompiledBulk;
  /** The same compiler, writing tables with other schemas. Absent where the database has none. */
  withSchemas?(schemaOf: SchemaOf): SqlCompiler;
}

export interface DdlCompiler {
  /** The statements that make or drop what the metadata holds, in an order that works, each harmless where its work is done already. */
  compile(change: SchemaChange): readonly string[];
  /** As that of `SqlCompiler`. */
  withSchemas?(schemaOf: SchemaOf): DdlCompiler;
}
