// The founding programme makes an engine at every iteration and disposes of it. An engine that was disposed of stays
// usable, so nobody closes it: it must not hold on to anything by itself, or ten thousand of them end the process.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine, literal, select } from '../../src/index.ts';
import { startPostgres } from '../servers.ts';

const open = (): number => readdirSync('/proc/self/fd').length;

async function used(engine: ReturnType<typeof createEngine>): Promise<void> {
  const connection = await engine.connect();
  await connection.execute(select({ one: literal(1) })).all();
  await connection.close();
}

test('an engine that was disposed of leaves no socket open, and works again', {
  skip: process.platform !== 'linux',
}, async () => {
  const server = await startPostgres({});
  const first = createEngine(server.url, { budget: 6 });
  try {
    await used(first);
    const engines = [];
    const before = open();
    for (let n = 0; n < 12; n++) {
      const engine = createEngine(server.url);
      engines.push(engine);
      await used(engine);
      await engine.dispose();
    }
    const deadline = performance.now() + 5000;
    while (open() > before && performance.now() < deadline) await sleep(50);
    assert.ok(open() <= before, `${open()} descriptors open, ${before} before`);
    for (const engine of engines) {
      await used(engine);
      await engine.close();
    }
    await used(first);
  } finally {
    await first.close();
    await server.stop();
  }
});
