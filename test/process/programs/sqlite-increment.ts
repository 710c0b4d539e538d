// A child that increments one row of a SQLite file, a transaction each time, over the driver alone.
import { createSqliteDriver } from '../../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../../src/dialects/sqlite/url.ts';
import type { DriverStatement } from '../../../src/driver/driver.ts';

const [url = '', times = '0'] = process.argv.slice(2);

function statement(sql: string): DriverStatement {
  return { text: { sql, params: [], results: undefined, prepare: true }, params: [] };
}

const increment = ['BEGIN IMMEDIATE', 'UPDATE counter SET value = value + 1', 'COMMIT'].map(statement);
const connection = await createSqliteDriver(parseSqliteUrl(url)).connect();
for (let count = 0; count < Number(times); count++) await connection.submit(increment, { row() {} });
await connection.close();
