// What a query of `pg` gives, made of what the driver pushes.
import type { Completion, Field, Scalar } from '../driver/driver.ts';
import type { CustomTypes, TypeParser } from './text-types.ts';

/** A column, in the words of `pg`. */
export interface FieldDef {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: string;
}

/** What the driver says of a column, as far as it does. */
interface DescribedField extends Field {
  readonly tableId?: number;
  readonly columnNumber?: number;
  readonly size?: number;
  readonly modifier?: number;
}

/** The answer to one statement. */
// oxlint-disable-next-line typescript/no-explicit-any -- as the type declarations of pg have it
export class QueryResult<Row = any> {
  /** The first word of the command the server ran. */
  command: string | null = null;
  /** Rows returned or touched; `null` for commands that say nothing of rows. */
  rowCount: number | null = null;
  oid: number | null = null;
  readonly rows: Row[] = [];
  fields: FieldDef[] = [];
  readonly #types: CustomTypes;
  readonly #asArrays: boolean;
  #parsers: TypeParser[] = [];
  #failed: { readonly error: unknown } | undefined;

  constructor(types: CustomTypes, rowMode: string | undefined) {
    this.#types = types;
    this.#asArrays = rowMode === 'array';
  }

  /** @internal */
  describe(fields: readonly DescribedField[]): void {
    this.fields = fields.map((field) => ({
      name: field.name,
      tableID: field.tableId ?? 0,
      columnID: field.columnNumber ?? 0,
      dataTypeID: Number(field.type),
      dataTypeSize: field.size ?? -1,
      dataTypeModifier: field.modifier ?? -1,
      format: 'text',
    }));
    this.#try(() => {
      this.#parsers = this.fields.map(({ dataTypeID }) => this.#types.getTypeParser(dataTypeID, 'text') as TypeParser);
    });
  }

  /** @internal Parsers are the caller's own code: what one throws fails the query, not the connection. */
  add(values: readonly Scalar[]): void {
    this.#try(() => this.rows.push(this.#row(values) as Row));
  }

  /** @internal */
  complete({ command, count }: Completion): void {
    const [word = ''] = command.split(' ');
    this.command = word === '' ? null : word;
    this.rowCount = count ?? null;
    this.oid = word === 'INSERT' ? 0 : null;
  }

  /** @internal What a parser threw. */
  get failed(): { readonly error: unknown } | undefined {
    return this.#failed;
  }

  #row(values: readonly Scalar[]): unknown {
    const parsed = values.map((value, index) =>
      value === null ? null : (this.#parsers[index] as TypeParser)(value as string),
    );
    if (this.#asArrays) return parsed;
    const row: Record<string, unknown> = {};
    for (const [index, { name }] of this.fields.entries()) {
      if (name === '__proto__') Object.defineProperty(row, name, { value: parsed[index], enumerable: true });
      else row[name] = parsed[index];
    }
    return row;
  }

  #try(work: () => void): void {
    if (this.#failed !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#failed = { error };
    }
  }
}
