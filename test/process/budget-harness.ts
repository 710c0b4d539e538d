// Programs under one budget for tests: started as processes of their own, told what to do, and killed.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserializeError } from '../../src/errors/serialize.ts';
import type { WorkerOrder, WorkerPlan } from './fixtures/worker.ts';

interface Done {
  readonly open: number;
  readonly status: { readonly budget: number | undefined; readonly held: number; readonly text: string };
  readonly env: string | undefined;
}

/** One program. */
export class Program {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly exit: Promise<void>;
  recalled = 0;
  #answers: { resolve: (done: Done) => void; reject: (error: unknown) => void }[] = [];

  constructor(plan: WorkerPlan, env: NodeJS.ProcessEnv) {
    this.child = fork(new URL('./fixtures/worker.ts', import.meta.url), [JSON.stringify(plan)], { env });
    let ready = (): void => {};
    this.ready = new Promise((resolve) => {
      ready = resolve;
    });
    this.exit = new Promise((resolve) => {
      this.child.once('exit', () => {
        for (const { reject } of this.#answers.splice(0)) reject(new RangeError('the program ended'));
        resolve();
      });
    });
    this.child.on('message', (message: { ready?: number; recalled?: number; done?: Done; failed?: unknown }) => {
      if (message.ready !== undefined) ready();
      else if (message.recalled !== undefined) this.recalled += message.recalled;
      else if (message.done !== undefined) this.#answers.shift()?.resolve(message.done);
      else this.#answers.shift()?.reject(deserializeError(message.failed));
    });
  }

  async tell(order: WorkerOrder): Promise<Done> {
    await this.ready;
    return new Promise((resolve, reject) => {
      this.#answers.push({ resolve, reject });
      this.child.send(order);
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.exit;
  }
}

/** A temporary folder of its own for everything a test does, and the programs in it. */
export class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'athanor-test-'));
  readonly #programs: Program[] = [];

  /** An environment that knows no budget and meets in this stage's folder. */
  get env(): NodeJS.ProcessEnv {
    const { ATHANOR_BUDGET: _base, ATHANOR_BUDGET_OWNER: _owner, ATHANOR_BUDGET_LIMIT: _limit, ...env } = process.env;
    return { ...env, TMPDIR: this.folder };
  }

  start(plan: WorkerPlan, env: NodeJS.ProcessEnv = this.env): Program {
    const program = new Program(plan, env);
    this.#programs.push(program);
    return program;
  }

  async close(): Promise<void> {
    for (const { child } of this.#programs) child.kill('SIGKILL');
    await Promise.all(this.#programs.map(({ exit }) => exit));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Settles when the condition holds; fails after `timeout` ms. Looks every 5 ms: what it looks at has no events. */
export async function until(holds: () => boolean, timeout = 5000): Promise<void> {
  const end = performance.now() + timeout;
  while (!holds()) {
    if (performance.now() > end) throw new RangeError(`it did not come true within ${timeout} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
