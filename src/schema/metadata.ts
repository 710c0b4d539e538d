// The tables that belong together: made and dropped as one.
import { MappingError } from '../errors/index.ts';
import type { Naming } from './naming.ts';
import type { Table, TableRegistry } from './table.ts';
import { dependencyOrder } from './table-order.ts';

/** What is to be done to the database's schema. */
export interface SchemaChange {
  readonly action: 'create' | 'drop';
  /** In the order to work in: targets of foreign keys first when created, last when dropped. */
  readonly tables: readonly Table[];
  readonly metadata: MetaData;
}

export interface SchemaOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  /** Only these tables; by default all. */
  readonly tables?: readonly Table[] | undefined;
}

/** Whatever can change a schema: an engine, or a connection of one. */
export interface SchemaBind {
  applySchema(change: SchemaChange, options?: SchemaOptions): Promise<void>;
}

export interface MetaDataOptions {
  /** How columns are named after properties; by default `snake_case`. */
  readonly naming?: Naming | undefined;
  /** The schema of tables that name none. */
  readonly schema?: string | undefined;
}

export class MetaData implements TableRegistry {
  readonly naming: Naming;
  readonly schema: string | undefined;
  readonly #tables: Map<string, Table> = new Map();

  constructor(options: MetaDataOptions = {}) {
    this.naming = options.naming ?? 'snake_case';
    this.schema = options.schema;
  }

  /** By name, with the schema before it where there is one. */
  get tables(): ReadonlyMap<string, Table> {
    return this.#tables;
  }
  /** Targets of foreign keys before those that refer to them. */
  get sortedTables(): readonly Table[] {
    return dependencyOrder([...this.#tables.values()]);
  }

  /** Called by the table itself. Throws `ATH_MAPPING` where the name is taken. */
  register(table: Table, replace: boolean): void {
    const name = table.schema === undefined ? table.name : `${table.schema}.${table.name}`;
    if (this.#tables.has(name) && !replace) throw new MappingError(`There is a table named ${name} already.`);
    this.#tables.set(name, table);
  }

  /** Creates what is not there yet. Safe from many processes at once. */
  async createAll(bind: SchemaBind, options: SchemaOptions = {}): Promise<void> {
    const tables = dependencyOrder(options.tables ?? [...this.#tables.values()]);
    await bind.applySchema({ action: 'create', tables, metadata: this }, options);
  }
  /** Drops what is there, data included. */
  async dropAll(bind: SchemaBind, options: SchemaOptions = {}): Promise<void> {
    const tables = [...dependencyOrder(options.tables ?? [...this.#tables.values()])].reverse();
    await bind.applySchema({ action: 'drop', tables, metadata: this }, options);
  }
}
