// A child that sits inside a statement for a long time. It exists to be killed there: its connection, and the permit for
// it, live on until the server has noticed, and nobody else may use that permit before.
import { createEngine, defineJob } from 'athanor';
import { url } from './database.ts';

export const sleep = defineJob(import.meta.url, 'sleep', async (_job, seconds: number) => {
  const connection = await createEngine(url).connect();
  await connection.raw(`select pg_sleep(${seconds})`);
  await connection.close();
});
