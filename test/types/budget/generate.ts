// A program of many entities and many queries, as text: what the type cost of the public face is measured on. Entities
// form a ring in which each points to its next, to one seven places on and back to its previous, over files that
// import each other; ten kinds of queries take turns.

const ENTITIES_PER_FILE = 10;
const QUERIES_PER_FILE = 20;

export interface ProgramSize {
  readonly entities: number;
  readonly queries: number;
}

/** The files of a program, by name: `base.ts`, models `m0.ts`..., queries `q0.ts`.... */
export function generateProgram(size: ProgramSize): Map<string, string> {
  return new Map([...generateModels(size.entities), ...generateQueries(size)]);
}

/** The model files alone. */
export function generateModels(entities: number): Map<string, string> {
  const ring = new Ring(entities);
  const files = chunks(entities, ENTITIES_PER_FILE).map((members, file): [string, string] => {
    const neighbours = members.flatMap((member) => [ring.at(member, 1), ring.at(member, 7), ring.at(member, -1)]);
    const foreign = neighbours.filter((neighbour) => fileOf(neighbour) !== file);
    return [
      `m${file}.ts`,
      [MODEL_HEAD, ...importsOf(foreign), ...members.map((member) => entity(member, ring))].join('\n'),
    ];
  });
  return new Map([['base.ts', BASE], ...files]);
}

/** The query files alone; they import the model files. */
export function generateQueries({ entities, queries }: ProgramSize): Map<string, string> {
  const ring = new Ring(entities);
  return new Map(
    chunks(queries, QUERIES_PER_FILE).map((members, file) => {
      // A stride and a shift: no two files have the same mixture of entities and kinds.
      const used = members.map((member) => (member * 7) % entities);
      const bodies = members.map((member, at) => query(member, ring, used[at] ?? 0));
      const named = used.flatMap((member) => [member, ring.at(member, 1)]);
      return [`q${file}.ts`, [QUERY_HEAD, ...importsOf(named), ...bodies].join('\n')];
    }),
  );
}

class Ring {
  readonly #size: number;
  constructor(size: number) {
    this.#size = size;
  }
  at(from: number, distance: number): number {
    return (((from + distance) % this.#size) + this.#size) % this.#size;
  }
}

const BASE = `import { declarativeBase } from 'athanor';
export class Base extends declarativeBase() {}
`;

const MODEL_HEAD = `import { enumOf, fk, func, integer, json, many, one, text, timestamptz } from 'athanor';
import { Base } from './base.ts';`;

const QUERY_HEAD = `import { func, insert, joinedload, select, selectinload, type Session, update } from 'athanor';`;

function entity(member: number, ring: Ring): string {
  const next = `E${ring.at(member, 1)}`;
  const owner = `E${ring.at(member, 7)}`;
  const previous = `E${ring.at(member, -1)}`;
  return `export class E${member} extends Base.table('e${member}', {
  id: integer().primaryKey(),
  name: text(),
  email: text().nullable(),
  status: enumOf('s${member}', ['a', 'b', 'c${member}']).default('a'),
  score: integer().default(0),
  createdAt: timestamptz().default(func.now()),
  payload: json<{ a: number; b: string }>(),
  nextId: fk(() => ${next}.c.id),
  ownerId: fk(() => ${owner}.c.id).nullable(),
  next: one(() => ${next}),
  owner: one(() => ${owner}),
  prevs: many(() => ${previous}, { by: () => ${previous}.c.nextId }),
}) {}
`;
}

/** One kind of query: the body of a function over the entity \`e\`, its next \`n\` and a number. Each uses its result by its type. */
type Kind = (e: string, n: string, number: number) => string;

const KINDS: readonly Kind[] = [
  (e, _, number) => `
  const rows = await session.scalars(
    select(${e}).where(${e}.c.name.like('a%'), ${e}.c.score.gt(${number})).orderBy(${e}.c.id.desc()).limit(10),
  ).all();
  return rows[0]!.name.length + rows[0]!.payload.a;`,
  (e) => `
  const rows = await session.execute(select(${e}.c.id, ${e}.c.name, ${e}.c.status).where(${e}.c.email.isNotNull()));
  return rows[0]!.id + rows[0]!.name.length + rows[0]!.status.length;`,
  (e, n) => `
  const rows = await session.execute(
    select(${e}.c.id, ${n}.c.name, ${n}.c.payload).outerJoin(${n}, ${n}.c.id.eq(${e}.c.nextId)),
  );
  return rows[0]!.id + (rows[0]!.name?.length ?? 0) + (rows[0]!.payload?.a ?? 0);`,
  (e, _, number) => `
  const rows = await session.execute(
    select(${e}.c.status, func.count(${e}.c.id).label('n'), func.max(${e}.c.score).label('m'))
      .groupBy(${e}.c.status)
      .having(func.count(${e}.c.id).gt(${number})),
  );
  return rows[0]!.n + (rows[0]!.m ?? 0);`,
  (e, n, number) => `
  const rows = await session.scalars(
    select(${e})
      .where(${e}.c.id.eq(${number}))
      .options(selectinload(${e}.c.prevs), joinedload(${e}.c.next, joinedload(${n}.c.owner))),
  ).all();
  return rows[0]!.prevs.length + rows[0]!.next.owner.name.length;`,
  (e, _, number) => `
  const row = await session.execute(
    insert(${e}).values({ name: 'x', payload: { a: 1, b: '' }, nextId: ${number} }).returning(${e}.c.id, ${e}.c.createdAt),
  ).one();
  return row.id + row.createdAt.getTime();`,
  (e, _, number) => `
  const rows = await session.execute(
    update(${e}).set({ name: 'x', score: ${e}.c.score.plus(1) }).where(${e}.c.id.eq(${number})).returning(${e}.c.id),
  );
  return rows[0]!.id;`,
  (e, n) => `
  const s = select(${e}.c.nextId, func.count().label('n')).groupBy(${e}.c.nextId).subquery('s');
  const rows = await session.execute(select({ name: ${n}.c.name, n: s.c.n }).join(s, s.c.nextId.eq(${n}.c.id)));
  return rows[0]!.n + rows[0]!.name.length;`,
  (e, _, number) => `
  const row = await session.get(${e}, ${number});
  return (row?.score ?? 0) + (row?.email?.length ?? 0);`,
  (e, _, number) => `
  const row = new ${e}({ name: 'a', payload: { a: 1, b: 'x' }, nextId: ${number} });
  session.add(row);
  await session.commit();
  row.score += 1;
  return row.id + (await row.prevs).length;`,
];

function query(member: number, ring: Ring, entityNumber: number): string {
  const kind = KINDS[(member + Math.floor(member / KINDS.length)) % KINDS.length] as Kind;
  const body = kind(`E${entityNumber}`, `E${ring.at(entityNumber, 1)}`, member);
  return `export async function q${member}(session: Session) {${body}\n}`;
}

function fileOf(member: number): number {
  return Math.floor(member / ENTITIES_PER_FILE);
}

function importsOf(members: readonly number[]): string[] {
  const sorted = [...new Set(members)].sort((a, b) => a - b);
  return [...new Set(sorted.map(fileOf))].map((file) => {
    const names = sorted.filter((member) => fileOf(member) === file).map((member) => `E${member}`);
    return `import { ${names.join(', ')} } from './m${file}.ts';`;
  });
}

function chunks(count: number, size: number): number[][] {
  const all = Array.from({ length: count }, (_, at) => at);
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
