// What assertions about types are made of.
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Mutual assignability, for intersections that mean the same. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
export declare function is<T extends true>(): void;
