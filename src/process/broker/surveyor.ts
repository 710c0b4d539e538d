// Asks the server what the broker wants to know, one question at a time, and gives up a monitor that does not answer.
import type { ServerIdentity } from '../../driver/driver.ts';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { StateError, TimeoutError } from '../../errors/index.ts';
import type { Survey } from './broker.ts';

const PATIENCE = 10_000;

export class Surveyor {
  readonly #open: () => ServerMonitor;
  readonly #prefix: string;
  #monitor: ServerMonitor | undefined;
  #closed = false;

  /** `prefix` begins the application_name of every connection under the budget. */
  constructor(open: () => ServerMonitor, prefix: string) {
    this.#open = open;
    this.#prefix = prefix;
  }

  /** `check`: sessions to look for; `ours`: sessions that are not counted as others'. */
  survey(check: readonly ServerIdentity[], ours: readonly ServerIdentity[]): Promise<Survey> {
    return this.#ask(async (monitor) => {
      const sessions = await monitor.sessions(this.#prefix);
      const alive = await monitor.alive(check);
      const limits = await monitor.limits([...ours, ...sessions]);
      return { sessions, alive, limits };
    });
  }

  terminate(session: ServerIdentity): Promise<void> {
    // Without its start it might be somebody else's by now.
    if (session.start === undefined) return Promise.resolve();
    return this.#ask((monitor) => monitor.terminate(session));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  async #ask<T>(question: (monitor: ServerMonitor) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StateError('The monitor is closed.');
    this.#monitor ??= this.#open();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new TimeoutError(`The server did not answer within ${PATIENCE} ms.`, { timeout: PATIENCE }));
      }, PATIENCE);
    });
    try {
      return await Promise.race([question(this.#monitor), late]);
    } catch (error) {
      await this.#drop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #drop(): Promise<void> {
    const monitor = this.#monitor;
    this.#monitor = undefined;
    await monitor?.close();
  }
}
