// The harness itself: for each thing it checks, a violation is planted and must be seen. A check that cannot fail says
// nothing.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError, StateError, UsageError } from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { type FaultTest, runFault } from './harness.ts';
import { LEDGER_SQL } from './ledger.ts';
import { badError } from './violations.ts';

describe('the harness', () => {
  let server: TestServer;
  before(async () => {
    server = await startPostgres();
    await server.query(LEDGER_SQL);
  });
  after(() => server.stop());

  /** The letters of the checks that failed. */
  async function seen(body: FaultTest): Promise<string> {
    const { violations } = await runFault(server, body, 1_000);
    return [...new Set(violations.map(({ check }) => check))].sort().join('');
  }

  it('says nothing where nothing is wrong', async () => {
    assert.equal(
      await seen(async (lab) => {
        const engine = lab.engine();
        assert.ok((await lab.ledger.write(engine)).acked);
        const connection = await engine.connect();
        const error = await lab.fails(connection.raw('select * from ledger where work = 1 / 0::int::text').all());
        assert.equal(error.code, 'ATH_PROGRAMMING');
        await connection.close();
      }),
      '',
    );
  });

  it('sees an acknowledged commit that is missing (A), or there only in part', async () => {
    assert.equal(
      await seen(async (lab) => {
        const { work } = await lab.ledger.write(lab.engine());
        await server.query('delete from ledger where work = $1 and part = 0', [work]);
      }),
      'A',
    );
  });

  it('sees work in the database that was said to have failed (B), in part, or was never answered', async () => {
    const lie = new OperationalError('a lie', { outcome: 'failed', connectionId: '1' });
    assert.equal(
      await seen(async (lab) => {
        const { work, parts, took } = await lab.ledger.write(lab.engine());
        lab.ledger.entries.length = 0;
        lab.ledger.note({ work, parts, took, acked: false, error: lie });
      }),
      'B',
    );
    const doubt = new OperationalError('in doubt', { outcome: 'unknown', connectionId: '1' });
    assert.equal(
      await seen(async (lab) => {
        const { work, took } = await lab.ledger.write(lab.engine());
        lab.ledger.entries.length = 0;
        lab.ledger.note({ work, parts: 3, took, acked: false, error: doubt });
      }),
      'B',
    );
    assert.equal(
      await seen(async (lab) => {
        await lab.ledger.write(lab.engine());
        lab.ledger.entries.length = 0;
      }),
      'B',
    );
  });

  it('sees a connection that is not accounted for (C), and a timer that is left', async () => {
    assert.equal(
      await seen(async (lab) => {
        const engine = lab.engine();
        const connection = await engine.connect();
        lab.undo(() => void connection.info);
      }),
      'C',
    );
    let timer: NodeJS.Timeout | undefined;
    assert.equal(
      await seen(async () => {
        timer = setTimeout(() => {}, 60_000);
      }),
      'C',
    );
    clearTimeout(timer);
  });

  it('sees a failure that is not as failures must be (D)', async () => {
    assert.equal(
      await seen(async (lab) => {
        await lab.fails(Promise.reject(new TypeError('bare')));
      }),
      'D',
    );
    assert.equal(
      await seen(async (lab) => {
        await lab.fails(Promise.reject(new OperationalError('no outcome')));
      }),
      'D',
    );
    assert.match(badError(new OperationalError('no connection', { outcome: 'failed' })) ?? '', /connection/);
    assert.equal(badError(new UsageError('fine')), undefined);
    assert.equal(badError(new StateError('fine', { outcome: 'not-sent' })), undefined);
  });

  it('sees a wait that ended too late (E), or never', async () => {
    assert.equal(await seen((lab) => lab.within(10, 'a wait', () => sleep(600))), 'E');
    assert.equal(
      await seen(async (lab) => {
        void lab.within(10, 'a wait', () => new Promise(() => {}));
      }),
      'E',
    );
  });

  it('sees a password or a parameter in what is shown (F)', async () => {
    assert.equal(
      await seen(async (lab) => {
        const text = `could not store ${lab.secret}`;
        await lab.fails(Promise.reject(new OperationalError(text, { outcome: 'failed', connectionId: '1' })));
      }),
      'F',
    );
    assert.equal(
      await seen(async (lab) => {
        const cause = { url: server.url };
        await lab.fails(Promise.reject(new OperationalError('x', { cause, outcome: 'not-sent' })));
      }),
      'F',
    );
  });

  it('sees an engine that does not work again (G)', async () => {
    const found = await seen(async (lab) => {
      lab.engine({ url: server.url.replace(`:${server.port}/`, ':1/') });
    });
    assert.match(found, /G/);
  });
});
