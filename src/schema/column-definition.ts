// Column definitions at run time: immutable records of what was said, read by the table that is made of them.
import { MappingError } from '../errors/index.ts';
import { expressionNode, nodeOf } from '../sql/operand.ts';
import { TYPE } from '../sql/phantom.ts';
import type { ColumnDefault, Node } from '../sql/from.ts';
import type { ColumnType } from '../types/column-type.ts';
import type { OnDelete, ReferenceOptions } from './col.ts';

export interface ReferenceRecord {
  /** Gives the target's attribute. */
  readonly target: () => unknown;
  readonly onDelete: OnDelete | undefined;
}

/** What was said of a column. */
export interface ColumnRecord {
  /** `undefined` for a foreign key, whose type is its target's. */
  readonly type: ColumnType | undefined;
  readonly name: string | undefined;
  readonly primaryKey: boolean;
  readonly nullable: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  readonly version: boolean;
  readonly default: ColumnDefault | undefined;
  readonly serverDefault: Node | undefined;
  readonly onUpdate: ColumnDefault | undefined;
  readonly references: ReferenceRecord | undefined;
  readonly computed: (() => unknown) | undefined;
}

const ON_DELETE: ReadonlySet<string | undefined> = new Set([undefined, 'cascade', 'set null', 'restrict']);

/** What `integer()`, `text()`, `fk()`... make. Each call of a chain gives a new one. */
export class ColumnDefinition {
  readonly record: ColumnRecord;

  constructor(record: Partial<ColumnRecord>) {
    this.record = Object.freeze({
      type: undefined,
      name: undefined,
      primaryKey: false,
      nullable: false,
      unique: false,
      index: false,
      version: false,
      default: undefined,
      serverDefault: undefined,
      onUpdate: undefined,
      references: undefined,
      computed: undefined,
      ...record,
    });
  }
  get [TYPE](): ColumnType {
    const { type } = this.record;
    if (type === undefined) throw new MappingError('A foreign key has the type of its target: cast to that.');
    return type;
  }

  primaryKey(): ColumnDefinition {
    return this.#with({ primaryKey: true });
  }
  nullable(): ColumnDefinition {
    return this.#with({ nullable: true });
  }
  default(value: unknown): ColumnDefinition {
    const given = columnDefault(value);
    return given.kind === 'expression'
      ? this.#with({ serverDefault: given.expression, default: undefined })
      : this.#with({ default: given, serverDefault: undefined });
  }
  onUpdate(value: unknown): ColumnDefinition {
    return this.#with({ onUpdate: columnDefault(value) });
  }
  references(target: unknown, options: ReferenceOptions = {}): ColumnDefinition {
    return this.#with({ references: reference(target, options) });
  }
  unique(): ColumnDefinition {
    return this.#with({ unique: true });
  }
  index(): ColumnDefinition {
    return this.#with({ index: true });
  }
  named(name: string): ColumnDefinition {
    return this.#with({ name });
  }
  brand(): ColumnDefinition {
    return this;
  }
  as(): ColumnDefinition {
    return this;
  }
  computed(thunk: unknown): ColumnDefinition {
    if (typeof thunk !== 'function') throw new MappingError('computed() takes a function that gives an expression.');
    return this.#with({ computed: thunk as () => unknown });
  }
  version(): ColumnDefinition {
    return this.#with({ version: true, default: { kind: 'value', value: 1 } });
  }
  #with(change: Partial<ColumnRecord>): ColumnDefinition {
    return new ColumnDefinition({ ...this.record, ...change });
  }
}

/** A field that is no column: an expression, evaluated for each row read. */
export class DerivedDefinition {
  /** Gives the expression. */
  readonly expression: () => unknown;
  constructor(expression: unknown) {
    if (typeof expression !== 'function')
      throw new MappingError('derived() takes a function that gives an expression.');
    this.expression = expression as () => unknown;
  }
}

export function reference(target: unknown, options: ReferenceOptions): ReferenceRecord {
  if (typeof target !== 'function') {
    throw new MappingError('A reference is given as a function: fk(() => User.c.id).');
  }
  if (!ON_DELETE.has(options.onDelete)) throw new MappingError('onDelete is cascade, set null or restrict.');
  return { target: target as () => unknown, onDelete: options.onDelete };
}

function columnDefault(value: unknown): ColumnDefault {
  if (nodeOf(value) !== undefined) return { kind: 'expression', expression: expressionNode(value) };
  if (typeof value === 'function') return { kind: 'function', create: value as () => unknown };
  return { kind: 'value', value };
}
