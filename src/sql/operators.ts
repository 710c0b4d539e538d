// SQL's binary operators as data: how they are spelled, and how tightly they bind. Parentheses are set by level, and
// rather once too often: databases disagree about the levels in between.

export const OPERATORS = {
  eq: { sql: '=', level: 4 },
  ne: { sql: '<>', level: 4 },
  lt: { sql: '<', level: 4 },
  le: { sql: '<=', level: 4 },
  gt: { sql: '>', level: 4 },
  ge: { sql: '>=', level: 4 },
  distinct: { sql: 'IS DISTINCT FROM', level: 4 },
  notDistinct: { sql: 'IS NOT DISTINCT FROM', level: 4 },
  concat: { sql: '||', level: 5 },
  plus: { sql: '+', level: 6 },
  minus: { sql: '-', level: 6 },
  times: { sql: '*', level: 7 },
  div: { sql: '/', level: 7 },
} as const satisfies Readonly<Record<string, { readonly sql: string; readonly level: number }>>;

export type BinaryOperator = keyof typeof OPERATORS;

/** How tightly each kind of expression binds; what is not here needs no parentheses anywhere. */
export const LEVEL = { raw: 0, or: 1, and: 2, not: 3, predicate: 4, concat: 5, path: 5, primary: 9 } as const;
