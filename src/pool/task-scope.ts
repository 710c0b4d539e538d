// A task that waits for a second connection while it holds the last one waits for itself. In callback scopes the
// runtime can tell which task is asking, so that such a wait is refused at once instead of timing out.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HolderRecord } from '../errors/index.ts';

/** A connection a task holds. */
export interface Holding {
  /** Identity of the pool it is from. */
  readonly pool: object;
  describe(): HolderRecord;
}

const storage = new AsyncLocalStorage<TaskScope>();

/** One callback scope, and the connections that are its own. */
export class TaskScope {
  readonly parent: TaskScope | undefined = storage.getStore();
  readonly #holdings = new Set<Holding>();

  /** Runs `work` as this task. */
  run<T>(work: () => T): T {
    return storage.run(this, work);
  }

  add(holding: Holding): void {
    this.#holdings.add(holding);
  }

  delete(holding: Holding): void {
    this.#holdings.delete(holding);
  }

  /** The connections of `pool` that this task and those around it hold. */
  holding(pool: object): HolderRecord[] {
    const records: HolderRecord[] = [];
    // oxlint-disable-next-line typescript/no-this-alias -- the first step of a walk outwards
    for (let scope: TaskScope | undefined = this; scope !== undefined; scope = scope.parent) {
      for (const holding of scope.#holdings) if (holding.pool === pool) records.push(holding.describe());
    }
    return records;
  }
}

/** The callback scope that is running, if any. */
export function currentTask(): TaskScope | undefined {
  return storage.getStore();
}
