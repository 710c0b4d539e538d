// A server that says the wrong thing at the wrong time: a result is kept or an error is kept, never a mixture, and
// nobody else is touched.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { ConnectionLostError, UniqueViolationError } from '../../src/errors/index.ts';
import {
  completeMessage,
  errorMessage,
  LOGGED_IN,
  readyMessage,
  type ScriptedPeer,
  type ScriptedServer,
  serverMessage,
  serveScript,
  statementHead,
  textRow,
} from '../../src/testing.ts';
import { faultLaboratory } from './harness.ts';

const fault = faultLaboratory();

const INT4 = 23;

/** Logs clients in, lets them set their session up, begins what they begin, and answers everything else by `answer`. */
function serve(answer: (peer: ScriptedPeer) => void | Promise<void>): Promise<ScriptedServer> {
  return serveScript(async (peer) => {
    await peer.next();
    peer.send(LOGGED_IN);
    for (;;) {
      const frames = await peer.until('S');
      if (frames.some(({ body }) => body.includes('select 42'))) await answer(peer);
      else peer.send(statementHead(), completeMessage('SELECT 0'), readyMessage());
    }
  });
}

const at = (port: number): string => `postgresql://nobody:none@127.0.0.1:${port}/none?sslmode=disable`;
const ONE = Buffer.concat([statementHead(INT4), textRow('1')]);

for (const fatal of [false, true]) {
  fault(
    `[T26] ${fatal ? 'FATAL' : 'an error'} after a completed statement is the error, and its rows are not given`,
    async (lab) => {
      await using server = await serve((peer) => {
        peer.send(
          ONE,
          completeMessage('SELECT 1'),
          fatal ? errorMessage('57P01', 'too late', 'FATAL') : errorMessage('23505', 'deferred'),
        );
        if (!fatal) peer.send(readyMessage());
      });
      const engine = lab.engine({ url: at(server.port), max: 1 });
      const connection = await engine.connect({ isolation: 'autocommit' });
      const error = await lab.within(1_000, 'told', () => lab.fails(connection.raw('select 42').all()));
      assert.ok(error instanceof (fatal ? ConnectionLostError : UniqueViolationError), String(error));
      await connection.close();
      await engine.close({ timeout: 0 });
    },
  );

  fault(
    `[T26] ${fatal ? 'FATAL' : 'an error'} after the end of an answer: the result is kept, the connection is not`,
    async (lab) => {
      await using server = await serve((peer) => {
        peer.send(ONE, completeMessage('SELECT 1'), readyMessage());
        peer.send(errorMessage('57P01', 'goodbye', fatal ? 'FATAL' : 'ERROR'));
      });
      const engine = lab.engine({ url: at(server.port), max: 1 });
      const connection = await engine.connect({ isolation: 'autocommit' });
      assert.deepEqual(await connection.raw('select 42').all(), [{ c0: 1 }]);
      await lab.until(() => connection.driverConnection.status === 'closed', 'the connection is closed');
      await connection.close();
      await engine.close({ timeout: 0 });
    },
  );
}

fault(
  '[T26] a flood of two million notices: read past, in bounded memory, and nobody else waits for it',
  async (lab) => {
    const notice = serverMessage('N', Buffer.from('SNOTICE\0VNOTICE\0C00000\0Mhello\0\0'));
    const piece = Buffer.concat(Array.from({ length: 5_000 }, () => notice));
    await using server = await serve(async (peer) => {
      peer.send(statementHead(INT4));
      for (let i = 0; i < 400; i += 1) {
        peer.send(piece);
        if (peer.socket.writableNeedDrain) await new Promise((resolve) => peer.socket.once('drain', resolve));
        await turn();
      }
      peer.send(textRow('1'), completeMessage('SELECT 1'), readyMessage());
    });
    const engine = lab.engine({ url: at(server.port), max: 1 });
    const neighbour = lab.engine();
    const connection = await engine.connect({ isolation: 'autocommit' });
    const base = process.memoryUsage().rss;
    let done = false;
    const begun = performance.now();
    const flooded = connection
      .raw('select 42')
      .all()
      .finally(() => {
        done = true;
        lab.figure('two million notices', performance.now() - begun);
      });
    let most = 0;
    while (!done) {
      assert.ok((await lab.within(2_000, 'a neighbour', () => lab.ledger.write(neighbour))).acked);
      most = Math.max(most, process.memoryUsage().rss - base);
    }
    assert.deepEqual(await flooded, [{ c0: 1 }]);
    assert.ok(most < 128 * 2 ** 20, `${most >> 20} MiB`);
    await connection.close();
    await engine.close({ timeout: 0 });
  },
);
