// What the orm knows of a class: its table, its columns in the order rows carry them, its relations once they have been
// found out, and the functions made for it. Configuration is lazy, because models refer to each other in circles.
import { MappingError } from '../../errors/index.ts';
import type { TableColumn, TableElement } from '../../sql/from.ts';
import type { ValueTarget } from '../../types/encode.ts';
import { BaselineFormat } from '../entity/baseline.ts';
import {
  type EntityConstructor,
  type KnownStamp,
  makeRestamp,
  makeStamp,
  type Stamp,
  StampCache,
} from '../entity/stamp.ts';
import type { PlanMapper } from '../flush/row-change.ts';
import type { RelationDefinition } from './relation-definition.ts';

/** A field computed by an expression. */
export interface DerivedField {
  readonly expression: () => unknown;
}

/** A foreign key with both its ends as positions in the rows of their classes. */
export interface ForeignKeyLink {
  /** Where the columns are. */
  readonly child: Mapper;
  readonly childIndexes: readonly number[];
  /** What they point to. */
  readonly parent: Mapper;
  readonly parentIndexes: readonly number[];
}

export interface RelationCascade {
  readonly saveUpdate: boolean;
  readonly delete: boolean;
  readonly deleteOrphan: boolean;
}

/** A relation that has been found out. */
export interface Relation {
  readonly key: string;
  readonly owner: Mapper;
  readonly target: Mapper;
  /** `parent`: the owner's foreign key points to the target. `children`: the targets' point to the owner. */
  readonly direction: 'parent' | 'children' | 'through';
  /** The key it goes by; for `through`, that of the table in between to the owner. */
  readonly link: ForeignKeyLink;
  /** For `through`: the key of the table in between to the target. */
  readonly far: ForeignKeyLink | undefined;
  readonly cascade: RelationCascade;
  /** The other side of the same key, if the target has one. */
  readonly inverse: () => Relation | undefined;
  readonly orderBy: (() => unknown) | undefined;
}

export interface MapperFacts {
  readonly table: TableElement;
  /** Column with the version counter. */
  readonly version: TableColumn | undefined;
  readonly relations: ReadonlyMap<string, RelationDefinition>;
  readonly derived: ReadonlyMap<string, DerivedField>;
  readonly factory: object;
  /** Finds out what the definitions mean; called once, on first use. */
  readonly configure: (mapper: Mapper) => MapperConfiguration;
}

export interface MapperConfiguration {
  readonly relations: ReadonlyMap<string, Relation>;
  readonly foreignKeys: readonly ForeignKeyLink[];
}

const mappers = new WeakMap<TableElement, Mapper>();

/** The mapper of a table, if a class is mapped to it. */
export function mapperOfTable(table: TableElement | undefined): Mapper | undefined {
  return table === undefined ? undefined : mappers.get(table);
}

export class Mapper {
  readonly table: TableElement;
  readonly columns: readonly TableColumn[];
  readonly keys: readonly string[];
  readonly indexByKey: ReadonlyMap<string, number>;
  /** What errors about a column's value name. */
  readonly targets: readonly ValueTarget[];
  readonly primaryKey: readonly number[];
  /** Position of the version counter, or -1. */
  readonly versionIndex: number;
  readonly definitions: ReadonlyMap<string, RelationDefinition>;
  readonly derived: ReadonlyMap<string, DerivedField>;
  readonly stamp: Stamp;
  readonly restamp: Stamp;
  /** Stamps for some of the columns. */
  readonly stamps: StampCache = new StampCache();
  /** What `new` was last given: columns all, none computed, none a field of the class's own. */
  lastInit: KnownStamp | undefined;
  readonly #facts: MapperFacts;
  #format: BaselineFormat | undefined;
  #entityClass: EntityConstructor | undefined;
  #configuration: MapperConfiguration | undefined;
  #planMapper: PlanMapper | undefined;

  constructor(facts: MapperFacts) {
    const { table } = facts;
    this.#facts = facts;
    this.table = table;
    this.columns = table.columns;
    this.keys = table.columns.map((column) => column.key);
    this.targets = table.columns.map((column) => ({ table: table.name, column: column.name }));
    this.indexByKey = new Map(this.keys.map((key, index) => [key, index]));
    this.primaryKey = table.columns.flatMap((column, index) => (column.primaryKey ? [index] : []));
    this.versionIndex = facts.version === undefined ? -1 : table.columns.indexOf(facts.version);
    this.definitions = facts.relations;
    this.derived = facts.derived;
    this.stamp = makeStamp(this.keys);
    this.restamp = makeRestamp(this.keys);
    if (this.primaryKey.length === 0) {
      throw new MappingError(`The class of table ${table.name} has no primary key.`, {
        hint: 'Mark a column with .primaryKey(): a session tells rows apart by it. A table without one can be used as a plain table.',
      });
    }
    mappers.set(table, this);
  }

  get name(): string {
    return this.table.name;
  }

  /** The user's class. It becomes known when it is first used, for a base class is never told of its subclasses. */
  get entityClass(): EntityConstructor {
    if (this.#entityClass === undefined) {
      throw new MappingError(`No class extends Base.table('${this.name}') yet, so its rows cannot be loaded.`, {
        hint: `Write class X extends Base.table('${this.name}', {...}) {} and import its module.`,
      });
    }
    return this.#entityClass;
  }

  /** Takes `receiver` for the mapped class, if it may be it. */
  bind(receiver: object): this {
    if (receiver === this.#entityClass) return this;
    const name = (receiver as { readonly name?: string }).name ?? 'class';
    if (receiver === this.#facts.factory) {
      throw new MappingError(`Base.table('${this.name}') is not a mapped class by itself.`, {
        hint: `Write class X extends Base.table('${this.name}', {...}) {} and use X.`,
      });
    }
    if (Object.getPrototypeOf(receiver) !== this.#facts.factory) {
      throw new MappingError(`${name} extends the mapped class of ${this.name}, but is not mapped itself.`, {
        hint: 'Only the direct child of Base.table() is mapped. Inheritance is declared with .joined() or .single().',
      });
    }
    if (this.#entityClass !== undefined) {
      throw new MappingError(`${name} and ${this.#entityClass.name} both extend the same Base.table('${this.name}').`, {
        hint: 'One table has one class. Call Base.table() once for each class.',
      });
    }
    this.#entityClass = receiver as EntityConstructor;
    return this;
  }

  /** Made on first use: the type of a foreign key is its target's, which may be defined later. */
  get format(): BaselineFormat {
    this.#format ??= new BaselineFormat(this.columns);
    return this.#format;
  }

  /** The class, if it has been used. */
  get boundClass(): EntityConstructor | undefined {
    return this.#entityClass;
  }

  get relations(): ReadonlyMap<string, Relation> {
    return this.#configured().relations;
  }
  get foreignKeys(): readonly ForeignKeyLink[] {
    return this.#configured().foreignKeys;
  }
  #configured(): MapperConfiguration {
    this.#configuration ??= this.#facts.configure(this);
    return this.#configuration;
  }

  /** Throws `ATH_MAPPING` for a name that is no relation. */
  relation(key: string): Relation {
    const relation = this.relations.get(key);
    if (relation === undefined) throw new MappingError(`${this.name} has no relation ${key}.`);
    return relation;
  }

  /** What the flush plan sees of this class. */
  get planMapper(): PlanMapper {
    this.#planMapper ??= {
      table: this.table,
      primaryKey: this.primaryKey.map((index) => this.columns[index] as TableColumn),
      foreignKeys: this.table.foreignKeys.map((key) => {
        const target = key.target();
        return { columns: key.columns, target: target.table, targetColumns: target.columns };
      }),
    };
    return this.#planMapper;
  }
}
