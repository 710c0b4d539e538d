// A column of a table. What refers to other tables is resolved on first use, for those may be defined later.
import { MappingError } from '../errors/index.ts';
import type { ExpressionNode } from '../sql/expression-node.ts';
import type { ColumnDefault, Node, TableColumn } from '../sql/from.ts';
import { expressionNode, nodeOf } from '../sql/operand.ts';
import type { ColumnType } from '../types/column-type.ts';
import type { OnDelete } from './col.ts';
import type { ColumnRecord } from './column-definition.ts';

/** The table a column is of, as the column knows it. */
export interface ColumnOwner {
  readonly name: string;
}

export interface ColumnReference {
  /** Throws `ATH_MAPPING` where there is no such column. */
  readonly target: () => Column;
  readonly onDelete: OnDelete | undefined;
}

export interface ColumnPlace {
  readonly table: ColumnOwner;
  /** Its name in the database. */
  readonly name: string;
  /** Its name in TypeScript. */
  readonly key: string;
  readonly autoincrement: boolean;
}

export class Column implements TableColumn {
  readonly table: ColumnOwner;
  readonly name: string;
  readonly key: string;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  /** The database numbers new rows. */
  readonly autoincrement: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  readonly version: boolean;
  readonly default: ColumnDefault | undefined;
  readonly onUpdate: ColumnDefault | undefined;
  readonly serverDefault: Node | undefined;
  readonly references: ColumnReference | undefined;
  readonly #record: ColumnRecord;
  #type: ColumnType | undefined;
  #computed: ExpressionNode | undefined;

  constructor(place: ColumnPlace, record: ColumnRecord) {
    this.table = place.table;
    this.name = place.name;
    this.key = place.key;
    this.autoincrement = place.autoincrement;
    this.nullable = record.nullable && !record.primaryKey;
    this.primaryKey = record.primaryKey;
    this.unique = record.unique;
    this.index = record.index;
    this.version = record.version;
    this.default = record.default;
    this.onUpdate = record.onUpdate;
    this.serverDefault = record.serverDefault;
    const { references } = record;
    this.references =
      references === undefined
        ? undefined
        : {
            target: () => columnOf(references.target(), `${place.table.name}.${place.name}`),
            onDelete: references.onDelete,
          };
    this.#record = record;
    this.#type = record.type;
  }

  /** Its own, or that of the column it refers to. */
  get type(): ColumnType {
    this.#type ??= this.#targetType();
    return this.#type;
  }
  /** What the database computes it from. */
  get computed(): ExpressionNode | undefined {
    if (this.#record.computed !== undefined) this.#computed ??= expressionNode(this.#record.computed());
    return this.#computed;
  }

  #targetType(): ColumnType {
    const seen = new Set<Column>([this]);
    let target = this.references?.target();
    while (target?.references !== undefined && target.#type === undefined && !seen.has(target)) {
      seen.add(target);
      target = target.references.target();
    }
    if (target === undefined || target.#type === undefined) {
      throw new MappingError(`${this.table.name}.${this.name} refers to itself in a circle: it has no type.`);
    }
    return target.#type;
  }
}

/** The column an attribute stands for. `from` is who refers to it. */
export function columnOf(attribute: unknown, from: string): Column {
  const node = nodeOf(attribute) as ExpressionNode | undefined;
  if (node?.kind === 'column' && node.column instanceof Column) return node.column;
  throw new MappingError(`${from} refers to something that is no column of a table.`, {
    hint: 'Is the class it names defined, and the column spelled right?',
  });
}
