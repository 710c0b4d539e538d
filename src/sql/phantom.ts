// The keys by which types carry what only the compiler needs, and the few by which objects carry what only athanor
// needs. The phantom ones are declared, never made: nothing is stored under them at run time.

/** What a definition is: `'col'`, a relation kind, `'order'`, `'select'`... */
export declare const KIND: unique symbol;
/** The type of the instance field a definition makes. */
export declare const FIELD: unique symbol;
/** The covariant payload of an SQL expression. */
export declare const VALUE: unique symbol;
export declare const FLAGS: unique symbol;
/** The name in result rows. */
export declare const KEY: unique symbol;
/** The name of the table, alias or subquery a thing belongs to. */
export declare const OWNER: unique symbol;
export declare const TARGET: unique symbol;
export declare const BRAND: unique symbol;
export declare const ROOT: unique symbol;
export declare const SEL: unique symbol;
export declare const NAMED: unique symbol;
export declare const ARGS: unique symbol;
export declare const READY: unique symbol;
/** What rows a statement written as text gives. */
export declare const RAW: unique symbol;
/** What a row given to `insert` looks like, for a table that is no class. */
export declare const INIT: unique symbol;

/** Under this key a mapped class carries its mapping. */
export const META: unique symbol = Symbol.for('athanor.meta');
/** Under this key expressions and statements carry their node. */
export const NODE: unique symbol = Symbol.for('athanor.node');
/** Under this key a column definition carries its `ColumnType`. */
export const TYPE: unique symbol = Symbol.for('athanor.type');
/** Under this key a relation attribute gives its `RelationJoin`. */
export const RELATION: unique symbol = Symbol.for('athanor.relation');
/** Under this key a mapped class makes its attributes, relations included, for an alias of itself. */
export const ATTRIBUTES: unique symbol = Symbol.for('athanor.attributes');

export type Brand<B extends string> = { readonly [BRAND]: B };
/** Writes an intersection out, so that an editor shows the properties. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};
