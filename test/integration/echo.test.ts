// The log of statements: what stands in it, where it goes, and that values do not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { alias, insert, type Logger, MetaData, select, table, integer, UniqueViolationError } from '../../src/index.ts';
import { Item, type Place, places } from './engine-kit.ts';

/** A logger that keeps what it is told. */
function recorder(): Logger & { readonly lines: string[]; readonly fields: Readonly<Record<string, unknown>>[] } {
  const lines: string[] = [];
  const fields: Readonly<Record<string, unknown>>[] = [];
  const at =
    (level: string) =>
    (line: string, given: Readonly<Record<string, unknown>> = {}): void => {
      lines.push(`${level} ${line}`);
      fields.push(given);
    };
  return { lines, fields, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

for (const [name, open] of Object.entries(places)) {
  describe(`echo on ${name}`, () => {
    let place: Place;
    before(async () => {
      place = await open();
    });
    after(() => place.stop());

    it('[F053] each statement with time, rows, cache, connection and its token, the caller, and the engine by name', async () => {
      const logger = recorder();
      const engine = await place.engine({ echo: true, logger, logName: 'reports' });
      const connection = await engine.connect({ logToken: 'request 7' });
      logger.lines.length = 0;
      logger.fields.length = 0;
      await connection.execute(
        insert(Item).values([
          { id: 1, name: 'secret' },
          { id: 2, name: 'secret' },
        ]),
      );
      const { connectionId } = connection;
      await connection.close();
      const [begin, line, rollback] = logger.lines;
      assert.match(begin ?? '', /^info \[reports\] BEGIN.* {2}-- [\d.]+ ms/);
      assert.match(
        line ?? '',
        /^info \[reports\] INSERT INTO .*item.*\[.*\] {2}-- [\d.]+ ms, 2 rows, generated in [\d.]+ ms, connection \S+ \[request 7\], at .*echo\.test\.ts:\d+/,
      );
      assert.match(rollback ?? '', /ROLLBACK/);
      assert.deepEqual(logger.lines.join('').includes('secret'), false);
      const fields = logger.fields[1];
      assert.deepEqual([fields?.['connectionId'], fields?.['rows'], fields?.['token']], [connectionId, 2, 'request 7']);
    });

    it('[F054] says whether a text was generated, cached, has no key, or is not cached at all', async () => {
      const logger = recorder();
      const engine = await place.engine({ echo: true, logger });
      const uncached = await place.engine({ echo: true, logger, cacheSize: 0 });
      logger.lines.length = 0;
      for (const one of [engine, uncached]) {
        await one.begin(async (connection) => {
          await connection.execute(select(Item.c.id).where(Item.c.id.eq(1)));
          await connection.execute(select(Item.c.id).where(Item.c.id.eq(2)));
          await connection.raw('select 3');
        });
      }
      const said = logger.lines
        .filter((line) => /select/i.test(line))
        .map((line) => / rows, (.*?), connection/.exec(line)?.[1]);
      assert.match(said[0] ?? '', /^generated in [\d.]+ ms$/);
      assert.match(said[1] ?? '', /^cached since [\d.]+ s$/);
      assert.equal(said[2], undefined, '1 row, and the text of a raw statement');
      assert.match(said[3] ?? '', /^caching disabled, generated in/);
      assert.match(said[4] ?? '', /^caching disabled, generated in/);
      assert.ok(logger.lines.some((line) => /select 3 {2}-- .*, no key, connection/.test(line)));
    });

    it('[F018] values are in no line, message or JSON unless asked for; then long ones and many are cut', async () => {
      const hidden = recorder();
      const engine = await place.engine({ echo: true, logger: hidden });
      await engine.begin((connection) => connection.execute(insert(Item).values({ id: 1, name: 'canary' })).all());
      const error = await engine
        .begin((connection) => connection.execute(insert(Item).values({ id: 1, name: 'canary' })).all())
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof UniqueViolationError);
      assert.ok(!`${hidden.lines.join()}${error.message}${error.stack}${JSON.stringify(error)}`.includes('canary'));
      assert.ok(hidden.lines.some((line) => line.startsWith('error failed after')));

      const shown = recorder();
      const open = await place.engine({ echo: 'values', logger: shown });
      const one = name === 'postgresql' ? '$1' : '?1';
      await open.begin(async (connection) => {
        await connection.raw(`select ${one}`, ['x'.repeat(5_000)]);
        const list = Array.from({ length: 50 }, (_, index) =>
          name === 'postgresql' ? `$${index + 1}` : `?${index + 1}`,
        );
        await connection
          .raw(
            `select ${list.map((each) => (name === 'postgresql' ? `${each}::int` : each)).join()}`,
            list.map((_, index) => 1_000 + index),
          )
          .tuples();
        await connection.rawMany(
          `insert into item values (${one}, 'many')`,
          Array.from({ length: 9 }, (_, index) => [100 + index]),
        );
      });
      const [long, many, sets] = shown.lines.filter((line) => / \[.*\] {2}--/.test(line)).slice(-3);
      assert.match(long ?? '', /\["x{99}\.\.\. \(5002 characters\)\]/);
      assert.match(many ?? '', /\[1000, 1001, .*, 1028, \.\.\. 20 more \.\.\., 1049\]/);
      assert.match(sets ?? '', /\[9 sets of 1: \[100\], \[101\], \[102\], \.\.\. 5 more \.\.\., \[108\]\]/);
    });

    it('what happens to connections is told where echoPool asks for it', async () => {
      const logger = recorder();
      const engine = await place.engine({ echoPool: true, logger, logName: 'a' });
      await engine.close();
      assert.ok(logger.lines.some((line) => /^debug \[a\] opened \S+ \(server \d+\);/.test(line)));
      assert.ok(logger.lines.some((line) => line.startsWith('debug [a] closed ')));
    });

    it('[F055] a query whose tables nothing joins is warned of once, with the caller, and only then', async () => {
      const logger = recorder();
      const engine = await place.engine({ logger });
      const other = alias(Item, 'other');
      await engine.begin(async (connection) => {
        const query = select(Item.c.id, other.c.name);
        await connection.execute(query).all();
        await connection.execute(query).all();
        await connection.execute(query.where(other.c.id.eq(Item.c.id))).all();
        await connection.execute(select(Item.c.id, other.c.name).join(other, other.c.id.eq(Item.c.id))).all();
      });
      const lines = logger.lines.filter((line) => line.includes('by nothing'));
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', /^warn The query at .*echo\.test\.ts:\d+.* joins item and other by nothing/);
      const silent = recorder();
      const without = await place.engine({ logger: silent, lintJoins: false });
      await without.begin((connection) => connection.execute(select(Item.c.id, other.c.name)).all());
      assert.deepEqual(silent.lines, []);
    });
  });
}

it('without a logger the warning is one of the process', async () => {
  const place = await places.sqlite();
  const warnings: (Error & { code?: string })[] = [];
  const listen = (given: Error & { code?: string }): void => void warnings.push(given);
  process.on('warning', listen);
  try {
    const engine = await place.engine();
    const metadata = new MetaData();
    const a = table('warned_a', metadata, { id: integer().primaryKey() });
    const b = table('warned_b', metadata, { id: integer().primaryKey() });
    await metadata.createAll(engine);
    await engine.begin((connection) => connection.execute(select(a.c.id, b.c.id.label('other'))).all());
    await new Promise((resolve) => setImmediate(resolve));
    const warning = warnings.find(({ code }) => code === 'ATH_CARTESIAN_PRODUCT');
    assert.match(warning?.message ?? 'none', /warned_a and warned_b by nothing/);
  } finally {
    process.off('warning', listen);
    await place.stop();
  }
});

it('ATHANOR_DEBUG prints the topics it names to standard error, and no values', () => {
  const program = fileURLToPath(new URL('fixtures/echo-program.ts', import.meta.url));
  const run = (topics: string | undefined): string => {
    const env = { ...process.env };
    delete env['ATHANOR_DEBUG'];
    const { stderr, status } = spawnSync(process.execPath, ['--no-warnings', program], {
      env: topics === undefined ? env : { ...env, ATHANOR_DEBUG: topics },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.ok(!stderr.includes('canary'));
    return stderr;
  };
  assert.equal(run(undefined), '');
  assert.match(run('sql'), /^athanor sql \d+ select \?1 \[1 values\] {2}-- [\d.]+ ms, 1 row, no key, connection/m);
  const pool = run('pool');
  assert.match(pool, /^athanor pool \d+ opened /m);
  assert.doesNotMatch(pool, /^athanor sql/m);
  const both = run('sql,pool');
  assert.match(both, /^athanor sql/m);
  assert.match(both, /^athanor pool/m);
});
