// What assertions about types are made of.
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Mutual assignability, for intersections that mean the same. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
// oxlint-disable-next-line no-unused-vars -- its constraint is the assertion
export declare function is<T extends true>(): void;
