// Where models begin: a base class with its own metadata, and `Base.table()`, which makes the class a model extends.
// `.c` is an inherited static getter, so its receiver is the user's class: that is how the mapper learns of it without
// a registration call.
import { MappingError, UnsupportedError } from '../../errors/index.ts';
import { ColumnDefinition, DerivedDefinition } from '../../schema/column-definition.ts';
import type { Constraint } from '../../schema/constraint.ts';
import { MetaData, type MetaDataOptions } from '../../schema/metadata.ts';
import { Table } from '../../schema/table.ts';
import { FROM, type FromElement } from '../../sql/from.ts';
import { ATTRIBUTES, META } from '../../sql/phantom.ts';
import { takeRow } from '../entity/construction.ts';
import { EntityRoot } from '../entity/entity-root.ts';
import { entityAttributes, type HybridMaker } from './attributes.ts';
import { configureRelations } from './configure-relations.ts';
import type { BaseClass } from './entity-class.ts';
import { installAccessors } from './field-accessors.ts';
import { initialise } from './initialise.ts';
import { Mapper } from './mapper.ts';
import { RelationDefinition } from './relation-definition.ts';

/**
 * A base class for the models of one database, with its own `metadata`. Columns are named after properties, by default
 * in snake_case.
 */
export function declarativeBase(options: MetaDataOptions = {}): BaseClass {
  const metadata = new MetaData(options);
  class Base extends EntityRoot {
    static readonly metadata = metadata;
    static table(this: RootClass, name: string, definitions: object, tableOptions: FactoryOptions = {}): unknown {
      return factoryClass(this, { name, metadata, definitions, options: tableOptions });
    }
  }
  return Base as unknown as BaseClass;
}

type RootClass = new (...args: never[]) => EntityRoot;

interface FactoryOptions {
  readonly constraints?: (c: never) => readonly Constraint[];
  readonly hybrids?: HybridMaker;
  readonly schema?: string;
  readonly discriminator?: string;
  readonly identity?: string;
  readonly subclasses?: () => unknown;
}

interface FactoryParts {
  readonly name: string;
  readonly metadata: MetaData;
  readonly definitions: object;
  readonly options: FactoryOptions;
}

/** The class between the base and the user's: it carries the mapping and constructs. */
function factoryClass(parent: RootClass, parts: FactoryParts): RootClass {
  const { name, options } = parts;
  if (options.discriminator !== undefined) throw inheritance(name);
  let mapper: Mapper;
  let made: object | undefined;
  class Factory extends parent {
    constructor(init: never) {
      super();
      if (!takeRow(this, new.target)) initialise(this, mapper.bind(new.target), init);
    }
    static get c(): object {
      mapper.bind(this);
      made ??= entityAttributes(mapper, mapper.table, options.hybrids);
      return made;
    }
    static get [FROM](): FromElement {
      return mapper.bind(this).table;
    }
    static get [META](): unknown {
      return mapper.bind(this);
    }
    static [ATTRIBUTES](from: FromElement): object {
      return entityAttributes(mapper, from, options.hybrids);
    }
    static joined(): never {
      throw inheritance(name);
    }
    static single(): never {
      throw inheritance(name);
    }
  }
  mapper = makeMapper(Factory, parts);
  installAccessors(Factory.prototype, mapper);
  return Factory;
}

function makeMapper(factory: object, { name, metadata, definitions, options }: FactoryParts): Mapper {
  const columns: Record<string, ColumnDefinition> = Object.create(null);
  const relations = new Map<string, RelationDefinition>();
  const derived = new Map<string, DerivedDefinition>();
  for (const [key, definition] of Object.entries(definitions) as [string, unknown][]) {
    checkKey(name, key);
    if (definition instanceof ColumnDefinition) columns[key] = definition;
    else if (definition instanceof RelationDefinition) relations.set(key, definition);
    else if (definition instanceof DerivedDefinition) derived.set(key, definition);
    else throw new MappingError(`${name}.${key} is neither a column nor a relation.`);
  }
  let mapper: Mapper | undefined;
  const table = new Table(name, metadata, columns, {
    schema: options.schema,
    constraints: options.constraints,
    entity: () => mapper?.boundClass,
    // A module that is loaded again brings its classes again; in production that is a mistake.
    replace: process.env['NODE_ENV'] !== 'production',
  });
  const version = table.columns.find((column) => column.version);
  mapper = new Mapper({ table, version, relations, derived, factory, configure: configureRelations });
  return mapper;
}

/** Names that JavaScript itself uses on every object or promise. */
const RESERVED: ReadonlySet<string> = new Set(['constructor', 'then', 'toJSON', '__proto__']);

function checkKey(name: string, key: string): void {
  if (!RESERVED.has(key)) return;
  throw new MappingError(`${name}.${key}: a field cannot have this name in JavaScript.`, {
    hint: `Give the field another name and the column this one: .named(${JSON.stringify(key)}).`,
  });
}

function inheritance(name: string): UnsupportedError {
  return new UnsupportedError(`${name}: inheritance between mapped classes is not supported yet.`, {
    hint: 'Share columns by spreading an object of them, and behaviour by a common base class.',
  });
}
