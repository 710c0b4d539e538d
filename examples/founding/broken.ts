// Broken on purpose: hands its session to a child over every channel there is, as if a live transaction could travel.
// Each attempt is refused where it is made, in the sender, by an error that says what to send instead.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { MessageChannel, Worker } from 'node:worker_threads';
import { createEngine, defineJob, isMain, NotTransferableError, sessionmaker } from 'athanor';
import { url } from './database.ts';
import { Base, Dummy } from './model.ts';

export interface Attempt {
  readonly channel: string;
  /** What the sender was told; `undefined` if the session went through. */
  readonly refusal: NotTransferableError | undefined;
}

/** A job that would like to have the parent's session. The cast below is what it takes to try. */
export const takeOver = defineJob(import.meta.url, 'takeOver', (_job, _session: object) => Promise.resolve());

export async function main(): Promise<Attempt[]> {
  const engine = createEngine(url);
  const Session = sessionmaker({ bind: engine });
  await Base.metadata.createAll(engine);
  const child = (serialization: 'json' | 'advanced') =>
    spawn(process.execPath, ['-e', 'process.on("message", () => {})'], { stdio: ['ipc'], serialization });
  const [json, advanced] = [child('json'), child('advanced')];
  const { port1, port2 } = new MessageChannel();
  const session = Session();
  session.add(new Dummy({ value: 1 }));
  await session.flush();

  const channels: Readonly<Record<string, () => unknown>> = {
    'the argument of a job': () => takeOver.fork(session),
    'child.send, as JSON': () => json.send(session as never),
    'child.send, advanced': () => advanced.send(session as never),
    postMessage: () => port1.postMessage(session),
    workerData: () => new Worker('', { eval: true, workerData: session }),
    structuredClone: () => structuredClone(session),
  };
  const attempts: Attempt[] = [];
  for (const [channel, send] of Object.entries(channels)) {
    attempts.push({ channel, refusal: await refusalOf(send) });
  }

  await session.rollback();
  await session.close();
  await engine.close();
  port2.close();
  json.kill();
  advanced.kill();
  return attempts;
}

async function refusalOf(send: () => unknown): Promise<NotTransferableError | undefined> {
  try {
    await send();
    return undefined;
  } catch (error) {
    if (error instanceof NotTransferableError) return error;
    throw error;
  }
}

if (isMain(import.meta)) {
  for (const { channel, refusal } of await main()) {
    assert.ok(refusal !== undefined, `${channel} let a session through`);
    console.log(`${channel}\n  ${refusal.name}: ${refusal.message}\n`);
  }
}
