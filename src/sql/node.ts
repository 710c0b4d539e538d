// The least every node is: frozen data with a kind, and the key of its shape. Two statements with equal keys have the
// same text and differ at most in the values they bind.
import type { FromElement } from './from.ts';

export interface Node {
  readonly kind: string;
  /** Injective over shapes: values do not enter it, everything that changes the text does. */
  readonly key: string;
}

export interface StatementNode extends Node {
  readonly kind: 'select' | 'insert' | 'update' | 'delete' | 'text';
  /** What it reads or writes, for autoflush; `undefined` where that is not known (raw SQL). */
  readonly tables: readonly FromElement[] | undefined;
}
