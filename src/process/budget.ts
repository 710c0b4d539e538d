// One budget for a server: which folder its processes meet in, and how many connections they may have together.
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { UsageError } from '../errors/index.ts';
import { MIN_BUDGET } from './broker/budget-size.ts';
import { removeAbandoned } from './meeting/abandoned.ts';
import { bequeath, bequeathLimit, inheritedBase, inheritedLimit } from './meeting/inheritance.ts';
import type { MonitorSource } from './broker/monitor-source.ts';
import { privateFolder, userName } from './meeting/private-folder.ts';
import { SharedPermits } from './shared-permits.ts';

/** Who shares a budget: all of this user's processes on the machine, this process and its descendants, or this process alone. */
export type BudgetScope = 'machine' | 'tree' | 'process';

export interface BudgetOptions {
  /** The server, in canonical form: everybody who means the same one must say the same. */
  readonly server: string;
  /** Connections all processes together may have, the broker's own included: at least 2. Default `auto`: what the server has to give. */
  readonly size?: number | 'auto' | undefined;
  /** Sets a budget apart from others on the same server. */
  readonly name?: string | undefined;
  /** Default `machine`. */
  readonly scope?: BudgetScope | undefined;
  readonly monitor: MonitorSource;
  /** What this process is called in messages to people. */
  readonly application?: string | undefined;
}

/** Joins the budget of a server, or starts it. Throws `UsageError` (ATH_USAGE) for a size below 2, or a folder that is not this user's alone. */
export function openBudget(options: BudgetOptions): SharedPermits {
  const { size = 'auto', scope = 'machine' } = options;
  if (size !== 'auto' && !(Number.isSafeInteger(size) && size >= MIN_BUDGET)) {
    throw new UsageError(`A connection budget of ${String(size)} is too small or no whole number.`, {
      hint: `It must be at least ${MIN_BUDGET}: one connection is the broker's own, for asking the server which are gone.`,
    });
  }
  if (scope !== 'machine' && scope !== 'tree' && scope !== 'process') {
    throw new UsageError(`The scope of a budget is 'machine', 'tree' or 'process', not ${JSON.stringify(scope)}.`);
  }
  const base = baseFolder(scope);
  const owner = scope !== 'process' && bequeath(base, threadId);
  const key = createHash('sha256')
    .update(`${options.server}\n${options.name ?? ''}`)
    .digest('hex')
    .slice(0, 12);
  if (owner && size !== 'auto') bequeathLimit(key, size);
  return new SharedPermits({
    folder: join(privateFolder(base), key),
    monitor: options.monitor,
    limit: size === 'auto' ? inheritedLimit(key) : size,
    application: options.application,
    owner,
  });
}

let alone: string | undefined;

function baseFolder(scope: BudgetScope): string {
  const inherited = scope === 'process' ? undefined : inheritedBase();
  if (inherited !== undefined) return inherited;
  const machine = privateFolder(join(tmpdir(), `athanor-${userName()}`));
  if (scope === 'machine') return machine;
  if (scope === 'process' && alone !== undefined) return alone;
  removeAbandoned(machine);
  const own = join(machine, `${scope}-${process.pid}-${randomBytes(4).toString('hex')}`);
  if (scope === 'tree') return own;
  alone = own;
  return own;
}
