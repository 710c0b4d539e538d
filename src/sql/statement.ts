// What whoever executes statements sees of one.
import type { StatementNode } from './node.ts';
import type { ARGS, NODE, OWNER, READY, SEL } from './phantom.ts';

/** A statement: what it selects (`A`), owners nullable by outer joins (`N`), loader options (`L`), and whether it may run. */
export interface Statement<out A, out N, out L, out Ready extends boolean> {
  readonly [SEL]: A;
  readonly [OWNER]: N;
  readonly [ARGS]: L;
  readonly [READY]: Ready;
  /** The frozen statement itself. Throws `ATH_COMPILE` or `ATH_USAGE` where it makes no sense. */
  readonly [NODE]: StatementNode;
}
