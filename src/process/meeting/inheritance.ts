// What a process tells its descendants through the environment: where to meet, whose task it is to serve there, and
// which budgets were given by number. It reaches every fork, spawn and cluster worker, however deep, and every worker
// thread, without anybody passing it on.
import { ownMark, type ProcessMark } from './process-mark.ts';

/** A folder: the place where descendants look for their broker. */
export const BUDGET_VARIABLE = 'ATHANOR_BUDGET';
const OWNER_VARIABLE = 'ATHANOR_BUDGET_OWNER';
const LIMIT_VARIABLE = 'ATHANOR_BUDGET_LIMIT';

/** The thread that set the variables. While it lives and is a member, its descendants leave serving to it. */
export interface BudgetOwner {
  readonly mark: ProcessMark;
  readonly thread: number;
}

/** The variables to add to a child's environment that is not a copy of this process's. */
export function inheritedVariables(): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of [BUDGET_VARIABLE, OWNER_VARIABLE, LIMIT_VARIABLE]) {
    const value = process.env[name];
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

export function inheritedBase(): string | undefined {
  const base = process.env[BUDGET_VARIABLE];
  return base === undefined || base === '' ? undefined : base;
}

export function inheritedOwner(): BudgetOwner | undefined {
  const match = /^([0-9]{1,9})@(.{1,100})$/.exec(process.env[OWNER_VARIABLE] ?? '');
  return match === null ? undefined : { thread: Number(match[1]), mark: match[2] as string };
}

/** The number an ancestor gave for this budget. */
export function inheritedLimit(key: string): number | undefined {
  const found = (process.env[LIMIT_VARIABLE] ?? '').split(',').find((entry) => entry.startsWith(`${key}=`));
  const limit = Number(found?.slice(key.length + 1));
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}

/** Sets the variables, unless an ancestor did. True if this thread is now the owner. */
export function bequeath(base: string, thread: number): boolean {
  if (inheritedBase() !== undefined) return isOwner(thread);
  process.env[BUDGET_VARIABLE] = base;
  process.env[OWNER_VARIABLE] = `${thread}@${ownMark()}`;
  return true;
}

export function bequeathLimit(key: string, limit: number): void {
  if (inheritedLimit(key) !== undefined) return;
  const others = process.env[LIMIT_VARIABLE];
  process.env[LIMIT_VARIABLE] = others === undefined || others === '' ? `${key}=${limit}` : `${others},${key}=${limit}`;
}

/** Takes the variables back: this thread has no engine any more. */
export function disinherit(thread: number): void {
  if (!isOwner(thread)) return;
  for (const name of [BUDGET_VARIABLE, OWNER_VARIABLE, LIMIT_VARIABLE]) delete process.env[name];
}

export function isOwner(thread: number): boolean {
  const owner = inheritedOwner();
  return owner !== undefined && owner.mark === ownMark() && owner.thread === thread;
}
