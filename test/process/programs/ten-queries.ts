// What a program does that knows nothing of budgets: it makes an engine and asks ten things at once.
import { createEngine, literal, select } from '../../../src/index.ts';

const engine = createEngine(process.env['TEST_DATABASE_URL'] ?? '');
const ask = async (n: number): Promise<number> => {
  const connection = await engine.connect();
  try {
    const { answer } = await connection.execute(select({ answer: literal(n) })).one();
    // Long enough that the ten really overlap, and those of the other processes too.
    await connection.raw('select pg_sleep(0.2)');
    return answer;
  } finally {
    await connection.close();
  }
};
const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => ask(n)));
await engine.close();
const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
process.stdout.write(`${JSON.stringify({ succeeded: outcomes.length - failures.length, failures })}\n`);
