// A fault proxy in a process of its own: it goes on while the process under test blocks, and its sockets and timers are
// not among those a test counts.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { JobLostError } from '../errors/index.ts';
import { ownModule } from '../primitives/own-module.ts';
import type { FaultOrder } from './fault-order.ts';
import type { FaultProxyTarget } from './fault-proxy.ts';

/** What is asked of the process, and what it answers. */
export type ProxyRequest =
  | { readonly start: { readonly host: string; readonly port: number; readonly framed: boolean } }
  | { readonly id: number; readonly order: FaultOrder }
  | { readonly id: number; readonly ask: 'struck' | 'counts' };

/** `id` 0 is the start. */
export interface ProxyAnswer {
  readonly id: number;
  readonly port: number;
  readonly connections: number;
  readonly roundTrips: number;
}

/** A fault proxy that runs in a process of its own. The same as `FaultProxy` but for its counts, which are asked for. */
export class ProxyProcess implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { resolve(answer: ProxyAnswer): void; reject(error: Error): void }>();
  #ids = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on('message', (answer: ProxyAnswer) => {
      this.#open.get(answer.id)?.resolve(answer);
      this.#open.delete(answer.id);
    });
    child.once('exit', () => {
      for (const { reject } of this.#open.values()) reject(new JobLostError('The fault proxy ended.'));
      this.#open.clear();
    });
  }

  /** Starts one. Rejects with `ATH_JOB_LOST` if its process ends at once. */
  static async start({ host, port, framed = true }: FaultProxyTarget): Promise<ProxyProcess> {
    const child = fork(ownModule('testing/proxy-main'), [], { execArgv: [], serialization: 'json' });
    child.send({ start: { host, port, framed } } satisfies ProxyRequest);
    const first = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    const answer = first[0] as ProxyAnswer | number | null;
    if (typeof answer !== 'object' || answer === null) throw new JobLostError('The fault proxy did not start.');
    return new ProxyProcess(child, answer.port);
  }

  /** Does what it is told; settles when it is in force. */
  async order(order: FaultOrder): Promise<void> {
    await this.#request({ order });
  }

  /** Settles when a `hold`, `corrupt` or `cutAfter` has struck. Each strike is told once. */
  async struck(): Promise<void> {
    await this.#request({ ask: 'struck' });
  }

  /** Its open connections, and the trips clients have waited for. */
  counts(): Promise<Pick<ProxyAnswer, 'connections' | 'roundTrips'>> {
    return this.#request({ ask: 'counts' });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request(what: { readonly order: FaultOrder } | { readonly ask: 'struck' | 'counts' }): Promise<ProxyAnswer> {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#child.send({ id, ...what } satisfies ProxyRequest, (error) => {
        if (error !== null && this.#open.delete(id)) reject(error);
      });
    });
  }
}
