/* oxlint-disable no-unused-expressions, no-unused-vars, typescript/no-explicit-any -- assertions about types are compiled, never run */
// More of what models may look like: mixins, private members, constructors of their own, repositories.
import { type Equal, is } from './equal.ts';
import {
  declarativeBase,
  integer,
  text,
  fk,
  one,
  many,
  select,
  selectinload,
  sessionmaker,
  createEngine,
  type Data,
  type New,
  type Entity,
} from '../../src/index.ts';
import { User, Address, Base, Tag, Order } from './models/index.ts';
const session = sessionmaker({ bind: createEngine('') })();
// behavioural mixin, private members, custom instance fields, explicit constructor
const Audited = <B extends abstract new (...a: any[]) => Entity>(B: B) => {
  abstract class Audited extends B {
    auditLog: string[] = [];
    audit(s: string) {
      this.auditLog.push(s);
    }
  }
  return Audited;
};
class AuditedBase extends Audited(declarativeBase()) {}
// statics of the base are reached through an explicit helper when a mixin hides them
class Note extends Base.table('notes', {
  id: integer().primaryKey(),
  body: text(),
  authorId: fk(() => User.c.id),
  author: one(() => User),
}) {
  #secret = 1;
  private cache = new Map<string, string>();
  constructor(init: ConstructorParameters<typeof NoteBase>[0]) {
    super(init as never);
    void this.#secret;
    void this.cache;
  }
}
const NoteBase = Base.table('x', { body: text() });
const takes = (n: Note) => n;
const n = await session.scalars(select(Note).options(selectinload(Note.c.author))).one();
takes(n);
n.author.name;
class Outer extends Base.table('outers', {
  id: integer().primaryKey(),
  // @ts-expect-error typo in a thunk is still caught, later
  a: many(() => Address, { by: () => Address.c.nope }),
  // @ts-expect-error same for fk
  b: fk(() => User.c.nope),
}) {}
void Outer;
void AuditedBase;
is<Equal<Data<typeof Tag>, { id: number; label: string }>>();
declare const tagInit: New<typeof Tag>;
tagInit.label;
tagInit.id?.toFixed();
// abstract repository, generic over an entity class
import type { AnyEntity, PrimaryKey, Inst } from '../../src/index.ts';
async function load<E extends AnyEntity>(e: E, k: PrimaryKey<E>): Promise<Inst<E>> {
  return session.getOne(e, k);
}
const tt = await load(Tag, 1);
is<Equal<typeof tt, Tag>>();
// conditional query building keeps one type
let q = select(Order);
if (Math.random() > 0.5) q = q.where(Order.c.id.gt(1));
q = q.limit(3);
class Note2 extends AuditedBase.table('notes2', { id: integer().primaryKey(), body: text() }) {}
const n2 = new Note2({ body: 'x' });
n2.audit('y');
n2.auditLog.length;
is<Equal<typeof n2.body, string>>();
