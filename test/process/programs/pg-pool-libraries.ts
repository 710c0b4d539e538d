// Three libraries that are written for `pg`, each on athanor's pool, each with the same small story: a table, rows, a
// join, a transaction that is rolled back, a violated constraint.
import assert from 'node:assert/strict';
import 'reflect-metadata';
import { eq, sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core';
import { type Generated, Kysely, PostgresDialect, sql as kyselySql } from 'kysely';
import { DataSource, EntitySchema, QueryFailedError } from 'typeorm';
import * as athanorPg from '../../../src/pg-pool.ts';

const UNIQUE_VIOLATION = '23505';

/** Drizzle. Its tables begin with `prefix`. */
export async function withDrizzle(pool: athanorPg.Pool, prefix: string): Promise<void> {
  const users = pgTable(`${prefix}_users`, { id: serial().primaryKey(), name: text().notNull().unique() });
  const posts = pgTable(`${prefix}_posts`, { id: serial().primaryKey(), userId: integer().notNull(), title: text() });
  const db = drizzle(pool as never);
  await db.execute(drizzleSql`create table ${users} (id serial primary key, name text not null unique)`);
  await db.execute(drizzleSql`create table ${posts} (id serial primary key, "userId" int not null, title text)`);
  const [ada] = await db.insert(users).values({ name: 'Ada' }).returning();
  assert.deepEqual(ada, { id: 1, name: 'Ada' });
  await db.insert(posts).values([
    { userId: 1, title: 'one' },
    { userId: 1, title: null },
  ]);
  const joined = await db
    .select({ name: users.name, title: posts.title })
    .from(users)
    .innerJoin(posts, eq(posts.userId, users.id))
    .orderBy(posts.id);
  assert.deepEqual(joined, [
    { name: 'Ada', title: 'one' },
    { name: 'Ada', title: null },
  ]);
  const undone = db.transaction(async (tx) => {
    await tx.insert(users).values({ name: 'Ben' });
    assert.equal((await tx.select().from(users)).length, 2);
    throw new TypeError('undo');
  });
  await assert.rejects(undone, /undo/);
  assert.equal((await db.select().from(users)).length, 1);
  await assert.rejects(db.insert(users).values({ name: 'Ada' }), (error: { cause: athanorPg.DatabaseError }) => {
    assert.equal(error.cause.code, UNIQUE_VIOLATION);
    assert.equal(error.cause.constraint, `${prefix}_users_name_key`);
    return true;
  });
}

interface KyselyTables {
  readonly users: { id: Generated<number>; name: string };
  readonly posts: { id: Generated<number>; user_id: number; title: string | null };
}

/** Kysely. Its tables are in the schema `prefix`. */
export async function withKysely(pool: athanorPg.Pool, prefix: string): Promise<void> {
  const kysely = new Kysely<KyselyTables>({ dialect: new PostgresDialect({ pool: pool as never }) });
  await kyselySql`create schema ${kyselySql.id(prefix)}`.execute(kysely);
  const db = kysely.withSchema(prefix);
  await db.schema
    .createTable('users')
    .addColumn('id', 'serial', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.unique())
    .execute();
  await db.schema
    .createTable('posts')
    .addColumn('id', 'serial', (c) => c.primaryKey())
    .addColumn('user_id', 'integer')
    .addColumn('title', 'text')
    .execute();
  const ada = await db.insertInto('users').values({ name: 'Ada' }).returningAll().executeTakeFirstOrThrow();
  assert.deepEqual(ada, { id: 1, name: 'Ada' });
  const inserted = await db
    .insertInto('posts')
    .values([
      { user_id: 1, title: 'one' },
      { user_id: 1, title: null },
    ])
    .executeTakeFirst();
  assert.equal(inserted.numInsertedOrUpdatedRows, 2n);
  const joined = await db
    .selectFrom('users')
    .innerJoin('posts', 'posts.user_id', 'users.id')
    .select(['name', 'title'])
    .orderBy('posts.id')
    .execute();
  assert.deepEqual(joined, [
    { name: 'Ada', title: 'one' },
    { name: 'Ada', title: null },
  ]);
  const undone = db.transaction().execute(async (tx) => {
    await tx.insertInto('users').values({ name: 'Ben' }).execute();
    assert.equal((await tx.selectFrom('users').selectAll().execute()).length, 2);
    throw new TypeError('undo');
  });
  await assert.rejects(undone, /undo/);
  assert.equal((await db.selectFrom('users').selectAll().execute()).length, 1);
  await assert.rejects(db.insertInto('users').values({ name: 'Ada' }).execute(), {
    code: UNIQUE_VIOLATION,
    table: 'users',
    schema: prefix,
  });
}

interface User {
  id: number;
  name: string;
  posts?: Post[];
}
interface Post {
  id: number;
  title: string | null;
  user?: User;
}

/** TypeORM, which makes its own pool of the module it is given. Its tables begin with `prefix`. */
export async function withTypeorm(config: athanorPg.PoolConfig, prefix: string): Promise<void> {
  const users = new EntitySchema<User>({
    name: 'User',
    tableName: `${prefix}_users`,
    columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text', unique: true } },
    relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'user' } },
  });
  const posts = new EntitySchema<Post>({
    name: 'Post',
    tableName: `${prefix}_posts`,
    columns: { id: { type: 'int', primary: true, generated: true }, title: { type: 'text', nullable: true } },
    relations: { user: { type: 'many-to-one', target: 'User', inverseSide: 'posts' } },
  });
  const { connectionString: url, ...extra } = config;
  const source = new DataSource({
    type: 'postgres',
    url: url ?? '',
    extra,
    driver: athanorPg,
    entities: [users, posts],
    synchronize: true,
  });
  await source.initialize();
  try {
    const repository = source.getRepository(users);
    const ada = await repository.save({ name: 'Ada' });
    assert.equal(ada.id, 1);
    await source.getRepository(posts).save([
      { title: 'one', user: ada },
      { title: null, user: ada },
    ]);
    const [found] = await repository.find({ relations: { posts: true }, order: { posts: { id: 'ASC' } } });
    assert.deepEqual(
      found?.posts?.map(({ title }) => title),
      ['one', null],
    );
    const undone = source.transaction(async (manager) => {
      await manager.getRepository(users).save({ name: 'Ben' });
      assert.equal(await manager.getRepository(users).count(), 2);
      throw new TypeError('undo');
    });
    await assert.rejects(undone, /undo/);
    assert.equal(await repository.count(), 1);
    await assert.rejects(repository.insert({ name: 'Ada' }), (error: QueryFailedError<athanorPg.DatabaseError>) => {
      assert.ok(error instanceof QueryFailedError);
      assert.equal(error.driverError.code, UNIQUE_VIOLATION);
      assert.match(error.driverError.detail ?? '', /\(name\)=\(Ada\)/);
      return true;
    });
  } finally {
    await source.destroy();
  }
}

/** As a programme: all three at once, several times, in one process. */
if (process.argv[1] === import.meta.filename) {
  const [prefix = '', size = ''] = process.argv.slice(2);
  const config = {
    connectionString: process.env['TEST_DATABASE_URL'] ?? '',
    budget: Number(size),
    connectionTimeoutMillis: 30_000,
  };
  const pools = [new athanorPg.Pool(config), new athanorPg.Pool(config)] as const;
  const rounds = [1, 2].flatMap((round) => [
    withDrizzle(pools[0], `d${prefix}${round}`),
    withKysely(pools[1], `k${prefix}${round}`),
    withTypeorm(config, `t${prefix}${round}`),
  ]);
  // Load beside it, so that there is something to share.
  const load = Array.from({ length: 40 }, () => pools[0].query('select pg_sleep(0.02)'));
  await Promise.all([...rounds, ...load]);
  await Promise.all(pools.map((pool) => pool.end()));
  process.stdout.write('done\n');
}
