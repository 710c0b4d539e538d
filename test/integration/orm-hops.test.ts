// How far it is from a call to the database: frames of the library between, and promises made. Kept by a test, because
// layers grow one at a time.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { after, before, describe, it } from 'node:test';
import { type Lease, Lease as LeaseClass } from '../../src/pool/lease.ts';
import { declarativeBase, type Session, type SessionMaker, sessionmaker } from '../../src/orm/index.ts';
import { integer } from '../../src/schema/columns.ts';
import { databases, type Watched } from './orm-kit.ts';

class Base extends declarativeBase() {}
class Dummy extends Base.table('dummies', { id: integer().primaryKey(), value: integer() }) {}

const FRAMES = 8;
const PROMISES = 30;

describe('the way of a session to postgresql', () => {
  let bind: Watched;
  let Session: SessionMaker;

  before(async () => {
    bind = await databases.postgresql();
    await Base.metadata.createAll(bind);
    Session = sessionmaker({ bind: bind.engine });
    await Session.begin(async (session) => session.add(new Dummy({ value: 0 })));
  });
  after(() => bind.stop());

  async function promisesOf(
    work: (session: Session) => Promise<unknown>,
    prepare: (session: Session) => void,
  ): Promise<number> {
    const session = Session();
    prepare(session);
    let count = 0;
    const hook = createHook({
      init(_id, type) {
        if (type === 'PROMISE') count += 1;
      },
    });
    hook.enable();
    const done = work(session);
    await done;
    hook.disable();
    await session.close();
    return count;
  }

  const commit = (session: Session): Promise<void> => session.commit();
  const rows = (count: number) => (session: Session) =>
    session.addAll(Array.from({ length: count }, () => new Dummy({ value: 1 })));

  it(`a commit of one new row makes at most ${PROMISES} promises, of a thousand no more`, async (context) => {
    // The first one after a pause asks the connection for a sign of life.
    await promisesOf(commit, rows(1));
    const one = await promisesOf(commit, rows(1));
    const thousand = await promisesOf(commit, rows(1000));
    context.diagnostic(`${one} promises for one row, ${thousand} for a thousand`);
    assert.ok(one <= PROMISES, String(one));
    assert.equal(thousand, one);
  });

  it(`a commit of one new row passes at most ${FRAMES} frames`, async (context) => {
    const stack = await stackAt(async () => {
      const session = Session();
      rows(1)(session);
      await session.commit();
      await session.close();
    });
    context.diagnostic(stack.join(' <- '));
    assert.ok(stack.length > 0 && stack.length <= FRAMES, stack.join('\n'));
  });

  /** The library's frames at the moment the first statement is handed to the connection. */
  async function stackAt(work: () => Promise<void>): Promise<string[]> {
    const prototype = LeaseClass.prototype;
    const submit = Object.getOwnPropertyDescriptor(prototype, 'submit') as PropertyDescriptor;
    const limit = Error.stackTraceLimit;
    let stack: string | undefined;
    Error.stackTraceLimit = 100;
    prototype.submit = function (this: Lease, ...given) {
      stack ??= new RangeError('here').stack;
      return (submit.value as Lease['submit']).apply(this, given);
    };
    try {
      await work();
    } finally {
      Error.stackTraceLimit = limit;
      Object.defineProperty(prototype, 'submit', submit);
    }
    const lines = (stack ?? '').split('\n').filter((line) => line.includes('/src/'));
    return lines.map((line) => /at (?:async )?([\w.#<>]+)/.exec(line)?.[1] ?? line.trim());
  }
});
