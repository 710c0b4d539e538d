import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Pool } from '../../../src/pool/pool.ts';
import { settled } from '../../../src/testing/clock.ts';
import { fixture, nextWarning, run } from './pool-fixture.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function forget(pool: Pool): Promise<void> {
  const lease = await pool.acquire();
  await run(lease, 'select forgotten');
}

it('a connection nobody can give back any more is reported with its call site, closed, and its place freed', async () => {
  const { pool, driver, permits } = fixture({ permitted: 1 });
  const warning = nextWarning('ATH_POOL_LEAK');
  await forget(pool);
  await settled();
  let reported: Error | undefined;
  void warning.then((error) => {
    reported = error;
  });
  for (let round = 0; round < 50 && reported === undefined; round += 1) {
    collect();
    await settled();
  }
  assert.match((await warning).message, /never given back.*taken at .*forget.*leak\.test\.ts.*select forgotten/);
  await settled();
  assert.equal(driver.connections[0]?.closes, 1);
  assert.equal(permits.status.held, 0);
  (await pool.acquire()).release();
});
