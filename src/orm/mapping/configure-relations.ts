// Finds out which foreign key each relation goes by. What cannot be decided is refused with the choice spelled out:
// a relation over the wrong key loads the wrong rows.
import { MappingError, UnsupportedError } from '../../errors/index.ts';
import { type FromColumn, FROM } from '../../sql/from.ts';
import { NODE } from '../../sql/phantom.ts';
import {
  type ForeignKeyLink,
  type Mapper,
  type MapperConfiguration,
  mapperOfTable,
  type Relation,
  type RelationCascade,
} from './mapper.ts';
import type { Cascade, RelationDefinition } from './relation-definition.ts';

export function configureRelations(mapper: Mapper): MapperConfiguration {
  const relations = new Map<string, Relation>();
  for (const [key, definition] of mapper.definitions) relations.set(key, configure(mapper, key, definition));
  return { relations, foreignKeys: linksOf(mapper) };
}

function configure(owner: Mapper, key: string, definition: RelationDefinition): Relation {
  const name = `${owner.name}.${key}`;
  const target = targetMapper(name, definition.target);
  const { options } = definition;
  const base = {
    key,
    owner,
    target,
    cascade: cascadeOf(name, options.cascade),
    orderBy: options.orderBy === undefined ? undefined : (options.orderBy as () => unknown),
  };
  const found =
    options.through === undefined
      ? definition.kind === 'many'
        ? { direction: 'children' as const, link: childLink(name, owner, { target, definition }), far: undefined }
        : { direction: 'parent' as const, link: parentLink(name, owner, { target, definition }), far: undefined }
      : throughLinks(name, owner, { target, definition });
  const relation: Relation = { ...base, ...found, inverse: () => inverseOf(relation, options.backref) };
  return Object.freeze(relation);
}

/** The mapper behind a thunk that gives a class. */
function targetMapper(name: string, thunk: Function): Mapper {
  const given = (thunk as () => unknown)();
  const from =
    typeof given === 'function' ? (given as { readonly [FROM]?: { readonly table?: never } })[FROM] : undefined;
  const mapper = mapperOfTable(from?.table);
  if (mapper === undefined) {
    throw new MappingError(`${name} does not lead to a mapped class.`, {
      hint: 'Its first argument is a function that gives a class: many(() => Address).',
    });
  }
  return mapper;
}

interface Ends {
  readonly target: Mapper;
  readonly definition: RelationDefinition;
}

/** The key from the owner to the target. */
function parentLink(name: string, owner: Mapper, { target, definition }: Ends): ForeignKeyLink {
  const by = columnsOf(definition.options.by, owner, `${name}: by`);
  const remote = columnsOf(definition.options.remote, target, `${name}: remote`);
  const links = linksOf(owner).filter((link) => link.parent === target);
  if (links.length === 0 && linksOf(target).some((link) => link.parent === owner)) {
    throw new UnsupportedError(
      `${name}: a to-one relation whose foreign key is on the other side is not supported yet.`,
      {
        hint: `Define many() here, or one() in ${target.name}.`,
      },
    );
  }
  return choose(name, links, { child: by, parent: remote });
}

/** The key from the targets to the owner. */
function childLink(name: string, owner: Mapper, { target, definition }: Ends): ForeignKeyLink {
  const by = columnsOf(definition.options.by, target, `${name}: by`);
  const links = linksOf(target).filter((link) => link.parent === owner);
  return choose(name, links, { child: by, parent: undefined });
}

function throughLinks(
  name: string,
  owner: Mapper,
  { target, definition }: Ends,
): Pick<Relation, 'direction' | 'link' | 'far'> {
  const middle = targetMapper(`${name}: through`, definition.options.through as Function);
  const links = linksOf(middle);
  const by = columnsOf(definition.options.by, middle, `${name}: by`);
  const remote = columnsOf(definition.options.remote, middle, `${name}: remote`);
  const link = choose(
    `${name} (from ${middle.name} to ${owner.name})`,
    links.filter(({ parent }) => parent === owner),
    { child: by, parent: undefined },
  );
  const rest = links.filter((other) => other.parent === target && other !== link && !sameLink(other, link));
  return {
    direction: 'through',
    link,
    far: choose(`${name} (from ${middle.name} to ${target.name})`, rest, { child: remote, parent: undefined }),
  };
}

interface Wanted {
  readonly child: readonly number[] | undefined;
  readonly parent: readonly number[] | undefined;
}

function choose(name: string, links: readonly ForeignKeyLink[], { child, parent }: Wanted): ForeignKeyLink {
  const fitting = links.filter(
    (link) =>
      (child === undefined || sameNumbers(link.childIndexes, child)) &&
      (parent === undefined || sameNumbers(link.parentIndexes, parent)),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (only === undefined) {
    throw new MappingError(`${name}: no foreign key leads between the two tables by these columns.`, {
      hint: 'Declare one with fk(() => Target.c.id), or name its columns with the option by.',
    });
  }
  const choices = fitting.map((link) => link.childIndexes.map((index) => link.child.keys[index]).join(' + '));
  throw new MappingError(
    `${name}: ${fitting.length} foreign keys lead between the two tables: ${choices.join(', ')}.`,
    {
      hint: `Say which: { by: () => ${fitting[0]?.child.entityClass.name ?? 'Class'}.c.${choices[0]} }.`,
    },
  );
}

const links = new WeakMap<Mapper, readonly ForeignKeyLink[]>();

/** The foreign keys of a class that lead to mapped classes. */
export function linksOf(child: Mapper): readonly ForeignKeyLink[] {
  const known = links.get(child);
  if (known !== undefined) return known;
  const found = child.table.foreignKeys.flatMap((key) => {
    const target = key.target();
    const parent = mapperOfTable(target.table);
    if (parent === undefined) return [];
    const childIndexes = key.columns.map((column) => child.columns.indexOf(column));
    return [
      { child, childIndexes, parent, parentIndexes: target.columns.map((column) => parent.columns.indexOf(column)) },
    ];
  });
  links.set(child, found);
  return found;
}

/** The positions of the columns a thunk names, in the rows of `mapper`. */
function columnsOf(thunk: Function | undefined, mapper: Mapper, what: string): readonly number[] | undefined {
  if (thunk === undefined) return undefined;
  const given = (thunk as () => unknown)();
  return (Array.isArray(given) ? given : [given]).map((attribute: unknown) => {
    const node = (
      attribute as { readonly [NODE]?: { readonly from?: unknown; readonly column?: FromColumn } } | undefined
    )?.[NODE];
    const index =
      node?.column === undefined ? -1 : mapper.columns.findIndex((column) => column.key === node.column?.key);
    if (index === -1 || node?.from !== mapper.table) {
      throw new MappingError(`${what} does not name a column of ${mapper.name}.`, {
        hint: `It is a function that gives a column: () => ${mapper.entityClass.name}.c.${mapper.keys[0] ?? 'id'}.`,
      });
    }
    return index;
  });
}

function inverseOf(relation: Relation, backref: string | undefined): Relation | undefined {
  const candidates = [...relation.target.relations.values()].filter((other) => {
    if (other.target !== relation.owner || other === relation) return false;
    if (relation.direction === 'through') {
      return (
        other.direction === 'through' &&
        relation.far !== undefined &&
        sameLink(other.link, relation.far) &&
        other.far !== undefined &&
        sameLink(other.far, relation.link)
      );
    }
    return (
      other.direction !== relation.direction && other.direction !== 'through' && sameLink(other.link, relation.link)
    );
  });
  if (backref === undefined) return candidates.length === 1 ? candidates[0] : undefined;
  const named = candidates.find((other) => other.key === backref);
  if (named === undefined) {
    throw new MappingError(
      `${relation.owner.name}.${relation.key}: backref ${backref} is not its other side in ${relation.target.name}.`,
    );
  }
  return named;
}

function cascadeOf(name: string, cascade: Cascade = 'save-update'): RelationCascade {
  switch (cascade) {
    case 'none':
      return { saveUpdate: false, delete: false, deleteOrphan: false };
    case 'save-update':
      return { saveUpdate: true, delete: false, deleteOrphan: false };
    case 'all':
      return { saveUpdate: true, delete: true, deleteOrphan: false };
    case 'all, delete-orphan':
      return { saveUpdate: true, delete: true, deleteOrphan: true };
    default:
      throw new MappingError(`${name}: cascade ${String(cascade)} is unknown.`, {
        hint: "It is 'none', 'save-update', 'all' or 'all, delete-orphan'.",
      });
  }
}

function sameLink(a: ForeignKeyLink, b: ForeignKeyLink): boolean {
  return a.child === b.child && a.parent === b.parent && sameNumbers(a.childIndexes, b.childIndexes);
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
