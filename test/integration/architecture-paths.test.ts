// ARCHITECTURE.md shows the way of one select and one commit, from the caller to the driver. It shows what is: the
// library's own frames, taken from the stack at the moment the driver is called.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { PostgresConnection } from '../../src/dialects/postgresql/driver/connection.ts';
import { createEngine, declarativeBase, type Engine, integer, select, sessionmaker } from '../../src/index.ts';
import { startPostgres } from '../servers.ts';

class Base extends declarativeBase() {}
class Dummy extends Base.table('path_dummies', { id: integer().primaryKey(), value: integer() }) {}

let server: Awaited<ReturnType<typeof startPostgres>>;
let engine: Engine;
before(async () => {
  server = await startPostgres({});
  engine = createEngine(server.url, { budget: { scope: 'process' } });
  await Base.metadata.createAll(engine);
});
after(async () => {
  await engine.close();
  await server.stop();
});

/** Function and file of each of the library's frames when the driver is next given a batch, the caller's side first. */
async function pathOf(work: () => Promise<unknown>): Promise<string[]> {
  const original = Object.getOwnPropertyDescriptor(PostgresConnection.prototype, 'submit') as PropertyDescriptor;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  let stack: string | undefined;
  PostgresConnection.prototype.submit = function (this: PostgresConnection, ...given) {
    stack ??= new RangeError('here').stack;
    return (original.value as PostgresConnection['submit']).apply(this, given);
  };
  try {
    await work();
  } finally {
    Error.stackTraceLimit = limit;
    Object.defineProperty(PostgresConnection.prototype, 'submit', original);
  }
  const frames = (stack ?? '').split('\n').flatMap((line) => {
    const found = /at (?:async )?(\S+) .*\/src\/([\w./-]+\.ts):/.exec(line);
    return found === null ? [] : [`${found[1]} (${found[2]})`];
  });
  return frames.reverse();
}

/** The lines of the code block below the heading. */
function shown(heading: string): string[] {
  const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const block = text.split(`### ${heading}\n`)[1]?.split('```')[1];
  assert.ok(block !== undefined, `ARCHITECTURE.md has no block under "${heading}"`);
  return block
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/ {2,}.*$/, '').trim())
    .filter((line) => line !== '');
}

test('the path of one select is the one ARCHITECTURE.md shows', async (context) => {
  const connection = await engine.connect();
  const path = await pathOf(async () => await connection.execute(select(Dummy.c.id)));
  await connection.close();
  context.diagnostic(path.join(' > '));
  assert.deepEqual(shown('One select'), path);
});

test('the path of one commit is the one ARCHITECTURE.md shows', async (context) => {
  const session = sessionmaker({ bind: engine })();
  session.add(new Dummy({ value: 1 }));
  const path = await pathOf(() => session.commit());
  await session.close();
  context.diagnostic(path.join(' > '));
  assert.deepEqual(shown('One commit'), path);
});
