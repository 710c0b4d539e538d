export * from './athanor-error.ts';
export * from './database.ts';
export * from './orm.ts';
export * from './pool.ts';
export * from './process.ts';
export * from './usage.ts';
export * from './waiting.ts';
export * from './transfer-guard.ts';
