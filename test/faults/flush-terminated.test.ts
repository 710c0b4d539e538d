// The server process ends in the middle of a unit of work, at each batch of its flush and around it. The session says
// so until it is rolled back, and afterwards believes nothing it was told before.
import assert from 'node:assert/strict';
import {
  CommitOutcomeUnknownError,
  ConnectionLostError,
  PendingRollbackError,
  StateError,
} from '../../src/errors/index.ts';
import { declarativeBase, integer, sessionmaker, text } from '../../src/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory();

class Base extends declarativeBase() {}
const columns = () => ({ id: integer().primaryKey(), name: text() });
class First extends Base.table('first', columns()) {}
class Second extends Base.table('second', columns()) {}
class Third extends Base.table('third', columns()) {}

/** A server process that comes to write the word 'die' into a table ends itself. */
async function prepare(lab: Lab): Promise<void> {
  await lab.server.query(
    "create or replace function dies() returns trigger language plpgsql as $$ begin if new.name = 'die' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(0.01); end if; return new; end $$",
  );
  for (const name of ['first', 'second', 'third']) {
    await lab.server.query(`drop table if exists "${name}"`);
    await lab.server.query(`create table "${name}" (id int primary key, name text not null)`);
    await lab.server.query(
      `create trigger dies before insert or update on "${name}" for each row execute function dies()`,
    );
    await lab.server.query(`insert into "${name}" values (1, 'as it was')`);
  }
}

const counts =
  'select (select count(*) from first)::int + (select count(*) from second)::int + (select count(*) from third)::int as n';

for (const [at, batch] of ['first', 'second', 'third'].entries()) {
  for (const how of ['insert', 'update'] as const) {
    fault(`[T08] terminated in batch ${at + 1} of 3 of a flush, an ${how}`, async (lab) => {
      await prepare(lab);
      const engine = lab.engine({ max: 2 });
      const Session = sessionmaker({ bind: engine });
      const session = Session();
      const loaded = [
        await session.getOne(First, 1),
        await session.getOne(Second, 1),
        await session.getOne(Third, 1),
      ] as const;
      await session.commit();
      const name = (index: number): string => (index === at ? 'die' : 'new');
      if (how === 'insert') {
        session.add(new First({ id: 2, name: name(0) }));
        session.add(new Second({ id: 2, name: name(1) }));
        session.add(new Third({ id: 2, name: name(2) }));
      } else for (const [index, entity] of loaded.entries()) entity.name = name(index);
      const error = await lab.within(5_000, `batch ${batch}`, () => lab.fails(session.flush()));
      assert.ok(error instanceof ConnectionLostError, String(error));
      assert.equal(error.sqlState, '57P01');
      assert.equal(error.outcome, 'failed');
      assert.ok((await lab.fails(session.get(First, 1))) instanceof PendingRollbackError);
      assert.ok((await lab.fails(session.commit())) instanceof PendingRollbackError);
      await session.rollback();
      assert.deepEqual(await lab.server.query(counts), [{ n: 3 }]);
      // Somebody else writes; what the session had read before is not believed any more.
      await lab.server.query("update first set name = 'changed meanwhile'");
      const again = await session.getOne(First, 1);
      assert.equal(again, loaded[0]);
      assert.equal(again.name, 'changed meanwhile');
      assert.equal((await session.getOne(Second, 1)).name, 'as it was');
      await session.close();
    });
  }
}

for (const step of ['begin', 'statement', 'savepoint', 'commit'] as const) {
  fault(`[T08] terminated in a session at ${step}`, async (lab) => {
    await prepare(lab);
    const proxy = await lab.proxy();
    const engine = lab.engine({ max: 2, proxy });
    const session = sessionmaker({ bind: engine })();
    const loaded = await session.getOne(First, 1);
    if (step === 'begin') await session.commit();
    if (step === 'savepoint') {
      await session.beginNested();
      await session.getOne(Second, 1);
    }
    if (step === 'commit') {
      loaded.name = 'new';
      // The answer never comes, so nobody can say.
      await proxy.order({ fault: 'hold', way: 'down', type: 'C', text: 'COMMIT' });
      const committing = lab.fails(session.commit());
      await lab.struck(proxy);
      await lab.terminate(engine);
      await proxy.order({ fault: 'cut', how: 'rst' });
      assert.ok((await committing) instanceof CommitOutcomeUnknownError);
    } else {
      await lab.terminate(engine);
      const reading = session.getOne(Third, 1);
      if (step === 'begin') {
        // Nothing of a transaction had been sent: it begins on another connection.
        assert.equal((await reading).name, 'as it was');
      } else assert.ok((await lab.fails(reading)) instanceof ConnectionLostError);
    }
    if (step !== 'begin') {
      const refused = await lab.fails(session.getOne(Third, 1));
      assert.ok(refused instanceof PendingRollbackError || refused instanceof StateError, String(refused));
    }
    await session.rollback();
    await lab.server.query("update first set name = 'changed meanwhile'");
    assert.equal((await session.getOne(First, 1)).name, 'changed meanwhile');
    await session.close();
  });
}
