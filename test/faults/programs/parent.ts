// Holds the only permit of a budget while it waits for a child that needs one, and says what the child met.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createEngine, serializeError } from '../../../src/index.ts';

const [url = '', role] = process.argv.slice(2);
// Two connections: one of them is the broker's own.
const budget = { size: 2, name: 'nested-over-processes', scope: 'tree' } as const;
const engine = createEngine(url, { budget, pool: { acquireTimeout: role === 'child' ? 3_000 : 30_000 } });

if (role === 'child') {
  const begun = performance.now();
  const error = await engine.begin((connection) => connection.raw('select 1').all()).catch((caught: unknown) => caught);
  process.send?.({ error: serializeError(error), took: performance.now() - begun });
} else {
  await engine.begin(async (connection) => {
    await connection.raw('select 1').all();
    const child = fork(import.meta.filename, [url, 'child'], { execArgv: [] });
    const gone = once(child, 'exit');
    const [answer] = (await once(child, 'message')) as [object];
    process.send?.(answer);
    await gone;
  });
}
await engine.close();
process.disconnect?.();
