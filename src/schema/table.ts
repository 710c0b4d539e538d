// A table: columns, keys and constraints. Usable by itself, or below a mapped class.
import { MappingError } from '../errors/index.ts';
import { attributes } from '../sql/attribute.ts';
import type { Meta } from '../sql/entity.ts';
import type { Attr, Attrs } from '../sql/expr.ts';
import type { ExpressionNode } from '../sql/expression-node.ts';
import { FROM, type TableElement } from '../sql/from.ts';
import type { FIELD, FLAGS, Flat, INIT, META } from '../sql/phantom.ts';
import type { OnDelete } from './col.ts';
import { Column, columnOf } from './column.ts';
import { ColumnDefinition } from './column-definition.ts';
import { type Constraint, DeclaredConstraint } from './constraint.ts';
import { constraintName, databaseName, type Naming } from './naming.ts';

export interface TableOptions {
  readonly schema?: string | undefined;
  /** Called on first use. */
  readonly constraints?: ((c: never) => readonly Constraint[]) | undefined;
  /** The class whose instances its rows are, once there is one. */
  readonly entity?: (() => object | undefined) | undefined;
  /** Takes the place of a table of the same name. */
  readonly replace?: boolean | undefined;
}

/** Where a table is registered: what it takes from its metadata. */
export interface TableRegistry {
  readonly naming: Naming;
  readonly schema: string | undefined;
  register(table: Table, replace: boolean): void;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly onDelete: OnDelete | undefined;
  readonly target: () => { readonly table: Table; readonly columns: readonly Column[] };
}
export interface UniqueConstraint {
  readonly name: string;
  readonly columns: readonly Column[];
}
export interface CheckConstraint {
  readonly name: string;
  readonly condition: ExpressionNode;
}

let made = 0;

export class Table implements TableElement {
  readonly kind = 'table';
  readonly name: string;
  readonly schema: string | undefined;
  /** Of this one table, whatever others are called. */
  readonly key: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly Column[];
  readonly #entity: (() => object | undefined) | undefined;
  readonly #constraints: TableOptions['constraints'];
  #declared: readonly DeclaredConstraint[] | undefined;
  #foreignKeys: readonly ForeignKey[] | undefined;

  /** Registers itself. `definitions` are columns by their TypeScript names. */
  constructor(
    name: string,
    metadata: TableRegistry,
    definitions: Readonly<Record<string, unknown>>,
    options: TableOptions = {},
  ) {
    made += 1;
    this.name = checkedName(name, 'table');
    this.key = `t${made};`;
    this.schema = options.schema ?? metadata.schema;
    this.#entity = options.entity;
    this.#constraints = options.constraints;
    this.columns = Object.freeze(columnsOf(this, metadata.naming, definitions));
    this.primaryKey = Object.freeze(this.columns.filter(({ primaryKey }) => primaryKey));
    metadata.register(this, options.replace ?? false);
  }

  get table(): this {
    return this;
  }
  get [FROM](): this {
    return this;
  }
  /** Its columns as attributes. */
  get c(): Readonly<Record<string, Attr<unknown, string, string>>> {
    return attributes(this);
  }
  get entity(): object | undefined {
    return this.#entity?.();
  }
  get primaryKeyName(): string {
    return constraintName('primaryKey', [this.name]);
  }
  get foreignKeys(): readonly ForeignKey[] {
    this.#foreignKeys ??= foreignKeysOf(this, this.#all());
    return this.#foreignKeys;
  }
  get uniques(): readonly UniqueConstraint[] {
    return this.#grouped('unique');
  }
  get indexes(): readonly UniqueConstraint[] {
    return this.#grouped('index');
  }
  get checks(): readonly CheckConstraint[] {
    return this.#all().flatMap(({ record }, position) => {
      if (record.kind !== 'check') return [];
      return [
        {
          name: record.name ?? constraintName('check', [this.name, String(position + 1)]),
          condition: record.condition,
        },
      ];
    });
  }

  #grouped(kind: 'unique' | 'index'): readonly UniqueConstraint[] {
    const single = this.columns.filter((column) => column[kind]).map((column) => this.#named(kind, [column]));
    const declared = this.#all().flatMap(({ record }) => {
      if (record.kind !== kind) return [];
      return [
        this.#named(
          kind,
          record.columns.map((node) => ownColumn(this, node)),
          record.name,
        ),
      ];
    });
    return [...single, ...declared];
  }
  #named(kind: 'unique' | 'index', columns: readonly Column[], name?: string): UniqueConstraint {
    return { name: name ?? constraintName(kind, [this.name, ...columns.map((column) => column.name)]), columns };
  }
  #all(): readonly DeclaredConstraint[] {
    this.#declared ??= (this.#constraints?.(this.c as never) ?? []).map((one) => {
      if (!(one instanceof DeclaredConstraint)) throw new MappingError(`${this.name}: not a constraint.`);
      return one;
    });
    return this.#declared;
  }
}

function columnsOf(table: Table, naming: Naming, definitions: Readonly<Record<string, unknown>>): Column[] {
  const given = Object.entries(definitions).map(([key, definition]) => {
    if (!(definition instanceof ColumnDefinition)) throw new MappingError(`${table.name}.${key} is no column.`);
    return { key, record: definition.record };
  });
  const keys = given.filter(({ record }) => record.primaryKey);
  const names = new Set<string>();
  return given.map(({ key, record }) => {
    const name = checkedName(record.name ?? databaseName(key, naming), `${table.name}.${key}`);
    if (names.has(name)) throw new MappingError(`${table.name} has two columns named ${name}.`);
    names.add(name);
    const autoincrement = keys.length === 1 && record.primaryKey && isNumbered(record);
    return new Column({ table, name, key, autoincrement }, record);
  });
}

/** An integer key that neither refers to another table nor has a default. */
function isNumbered(record: ColumnDefinition['record']): boolean {
  const { type, references, default: given, serverDefault, computed } = record;
  if (references !== undefined || given !== undefined || serverDefault !== undefined || computed !== undefined)
    return false;
  return type?.name === 'integer' || type?.name === 'bigint';
}

function foreignKeysOf(table: Table, declared: readonly DeclaredConstraint[]): readonly ForeignKey[] {
  const single = table.columns.flatMap((column): ForeignKey[] => {
    const { references } = column;
    if (references === undefined) return [];
    const name = constraintName('foreignKey', [table.name, column.name]);
    const target = (): ReturnType<ForeignKey['target']> => targetOf([references.target()]);
    return [{ name, columns: [column], onDelete: references.onDelete, target }];
  });
  const several = declared.flatMap(({ record }): ForeignKey[] => {
    if (record.kind !== 'foreignKey') return [];
    const columns = record.columns.map((node) => ownColumn(table, node));
    const name = record.name ?? constraintName('foreignKey', [table.name, ...columns.map((column) => column.name)]);
    const target = (): ReturnType<ForeignKey['target']> => {
      const given: unknown = record.target();
      const targets = (Array.isArray(given) ? given : [given]).map((one) => columnOf(one, name));
      if (targets.length !== columns.length) throw new MappingError(`${name}: as many target columns as columns.`);
      return targetOf(targets);
    };
    return [{ name, columns, onDelete: record.onDelete, target }];
  });
  return [...single, ...several];
}

function targetOf(columns: readonly Column[]): { readonly table: Table; readonly columns: readonly Column[] } {
  return { table: columns[0]?.table as Table, columns };
}

function ownColumn(table: Table, node: ExpressionNode): Column {
  if (node.kind === 'column' && node.column instanceof Column && node.column.table === table) return node.column;
  throw new MappingError(`A constraint of ${table.name} names something that is no column of it.`);
}

function checkedName(name: string, what: string): string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return name;
  throw new MappingError(`${what}: a name is needed.`);
}

type Spec = Record<string, { readonly [FIELD]: unknown; readonly [FLAGS]: unknown }>;
/** A row of a table that is no class. */
export type RowOf<S extends Spec> = { -readonly [K in keyof S]: S[K][typeof FIELD] };
type Optional<D> = D extends { readonly [FLAGS]: infer F; readonly [FIELD]: infer T }
  ? null extends T
    ? true
    : Extract<F, 'default' | 'auto'> extends never
      ? false
      : true
  : false;
/** A new row of it: columns with a default may be left out. */
export type NewRowOf<S extends Spec> = Flat<
  { [K in keyof S as Optional<S[K]> extends true ? never : K]: S[K][typeof FIELD] } & {
    [K in keyof S as Optional<S[K]> extends true ? K : never]?: S[K][typeof FIELD];
  }
>;

/** A table without a class, as statements see it: select it, insert into it, use its columns under `.c`. */
export interface CoreTable<N extends string, S extends Spec> {
  readonly prototype: RowOf<S>;
  readonly [META]: Meta<N, S>;
  readonly [INIT]: NewRowOf<S>;
  readonly [FROM]: Table;
  readonly c: Attrs<N, S>;
}

/** Declares a table without a class. */
export function table<const N extends string, S extends Spec>(
  name: N,
  metadata: TableRegistry,
  columns: S,
  options: Omit<TableOptions, 'constraints'> & {
    readonly constraints?: (c: Attrs<N, S>) => readonly Constraint[];
  } = {},
): CoreTable<N, S> {
  return new Table(name, metadata, columns, options as TableOptions) as unknown as CoreTable<N, S>;
}
