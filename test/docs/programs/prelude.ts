// What the examples of the error pages take for granted: a few classes, a session, and names for values.
import type { ChildProcess } from 'node:child_process';
import {
  createEngine,
  declarativeBase,
  defineJob,
  fk,
  integer,
  many,
  numeric,
  one,
  type Session as UnitOfWork,
  sessionmaker,
  text,
} from '../../../src/index.ts';

export class Base extends declarativeBase() {}
export class User extends Base.table('users', {
  id: integer().primaryKey(),
  name: text(),
  email: text().nullable(),
  logins: integer().default(0),
  orders: many(() => Order),
}) {}
export class Order extends Base.table('orders', {
  id: integer().primaryKey(),
  total: numeric(),
  userId: fk(() => User.c.id),
  user: one(() => User),
}) {}

export const engine = createEngine('sqlite::memory:');
export const Session = sessionmaker({ bind: engine });
export type Session = UnitOfWork;
export const increment = defineJob(import.meta.url, 'increment', async (_job, _id: number) => {});

export declare const session: UnitOfWork;
export declare const user: User;
export declare const child: ChildProcess;
export declare const url: string;
export declare const id: number;
export declare const name: string;
export declare const email: string;
export declare function work(session: UnitOfWork): Promise<void>;
export declare function reply(status: number, text: string | undefined): void;
export declare function askTheOtherService(): Promise<string>;
