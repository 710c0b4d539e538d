// What every statement is to those who run it: frozen data with the key of its shape. Two statements with equal keys
// have the same text and differ at most in the values they bind.
import type { FromElement, Node } from './from.ts';

export type { Node } from './from.ts';

export interface StatementNode extends Node {
  readonly kind: 'select' | 'insert' | 'update' | 'delete' | 'text';
  /** What it reads or writes, for autoflush; `undefined` where that is not known (raw SQL). */
  readonly tables: readonly FromElement[] | undefined;
}
