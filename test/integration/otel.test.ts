// Spans and metrics as OpenTelemetry's own SDK receives them.
import assert from 'node:assert/strict';
import { type Context, context, metrics as metricsApi, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { channel } from 'node:diagnostics_channel';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  createEngine,
  declarativeBase,
  type Engine,
  insert,
  integer,
  PoolTimeoutError,
  select,
  sessionmaker,
  text,
} from '../../src/index.ts';
import { instrument } from '../../src/otel.ts';
import { querySummary, withoutLiterals } from '../../src/otel/query-summary.ts';
import { startPostgres, type TestServer } from '../servers.ts';

class Base extends declarativeBase() {}
class Order extends Base.table('orders', { id: integer().primaryKey(), note: text() }) {}

describe('OpenTelemetry', () => {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: figures, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const tracer = tracerProvider.getTracer('test');
  let server: TestServer;
  let engine: Engine;
  let stop: () => void;

  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    server = await startPostgres({});
    engine = createEngine(server.url, { budget: { scope: 'process' }, pool: { max: 2 }, logName: 'shop' });
    await Base.metadata.createAll(engine);
  });
  after(async () => {
    await engine.close();
    await server.stop();
    await meterProvider.shutdown();
    context.disable();
    trace.disable();
    metricsApi.disable();
  });
  beforeEach(async () => {
    await engine.begin((connection) => connection.raw('delete from orders').all());
    stop = instrument({ tracerProvider, meterProvider });
    spans.reset();
  });
  afterEach(() => stop());

  function named(name: string): ReadableSpan {
    const found = spans.getFinishedSpans().find((span) => span.name === name);
    assert.ok(
      found !== undefined,
      `${name} is not among ${spans
        .getFinishedSpans()
        .map((span) => span.name)
        .join(', ')}`,
    );
    return found;
  }

  async function figure(
    name: string,
  ): Promise<readonly { readonly value: unknown; readonly attributes: Readonly<Record<string, unknown>> }[]> {
    figures.reset();
    await meterProvider.forceFlush();
    const all = figures.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  }

  it('[X18] a statement is a span by the conventions, under the caller’s, and never with a value', async () => {
    await tracer.startActiveSpan('request', async (request) => {
      await engine.begin(async (connection) => {
        await connection.execute(insert(Order).values({ id: 1, note: 'canary' }));
        await connection.execute(select(Order.c.note).where(Order.c.note.eq('canary')));
      });
      request.end();
    });
    const query = named('SELECT orders');
    const url = new URL(server.url);
    assert.equal(query.kind, SpanKind.CLIENT);
    assert.deepEqual(query.attributes, {
      'db.system.name': 'postgresql',
      'db.namespace': url.pathname.slice(1),
      'server.address': url.hostname === '127.0.0.1' ? 'localhost' : url.hostname,
      'server.port': Number(url.port),
      'db.operation.name': 'SELECT',
      'db.collection.name': 'orders',
      'db.query.summary': 'SELECT orders',
      'db.query.text': query.attributes['db.query.text'],
      'db.response.returned_rows': 1,
    });
    assert.match(String(query.attributes['db.query.text']), /^SELECT .* WHERE .*\$1/);
    const transaction = named('transaction');
    const request = named('request');
    assert.equal(query.parentSpanContext?.spanId, transaction.spanContext().spanId);
    assert.equal(transaction.parentSpanContext?.spanId, request.spanContext().spanId);
    assert.equal(transaction.attributes['athanor.transaction.outcome'], 'commit');
    assert.equal(named('INSERT orders').attributes['db.response.returned_rows'], 1);
    assert.equal(named('COMMIT').attributes['db.operation.name'], 'COMMIT');
    const all = JSON.stringify(
      spans.getFinishedSpans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    );
    assert.ok(!all.includes('canary') && !all.includes(server.password));
  });

  it('statements asked for in one tick keep each their own caller', async () => {
    const connection = await engine.connect();
    await connection.raw('select 1');
    spans.reset();
    const ask = (name: string): Promise<unknown> =>
      tracer.startActiveSpan(name, async (span) => {
        await connection.raw(`select '${name}' as "${name}"`);
        span.end();
      });
    await Promise.all([ask('one'), ask('two')]);
    await connection.close();
    const queries = spans.getFinishedSpans().filter(({ name }) => name === 'SELECT');
    const parents = queries.map(({ parentSpanContext }) => parentSpanContext?.spanId);
    assert.deepEqual(parents, [named('one').spanContext().spanId, named('two').spanContext().spanId]);
    assert.ok(queries.every(({ attributes }) => String(attributes['db.query.text']).startsWith('select ? as')));
  });

  it('failures say which by SQLSTATE, batches how many', async () => {
    await assert.rejects(engine.begin((connection) => connection.raw('select canary').all()));
    const failed = named('SELECT');
    assert.equal(failed.status.code, SpanStatusCode.ERROR);
    assert.equal(failed.attributes['db.response.status_code'], '42703');
    assert.equal(failed.attributes['error.type'], '42703');
    assert.equal(named('transaction').attributes['athanor.transaction.outcome'], 'rollback');
    await engine.begin((connection) =>
      connection
        .rawMany('insert into orders values ($1, $2)', [
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
        ])
        .all(),
    );
    const batch = named('BATCH INSERT orders');
    assert.equal(batch.attributes['db.operation.batch.size'], 3);
    const durations = await figure('db.client.operation.duration');
    assert.ok(durations.some(({ attributes }) => attributes['error.type'] === '42703'));
    assert.ok(
      durations.some(
        ({ attributes }) =>
          attributes['db.operation.name'] === 'BATCH INSERT' && attributes['db.collection.name'] === 'orders',
      ),
    );
    assert.ok(durations.every(({ attributes }) => !('db.query.text' in attributes)));
  });

  it('[X18] pools, waits, the budget and flushes are figures', async () => {
    await engine.dispose();
    const first = await engine.connect();
    const second = await engine.connect();
    await assert.rejects(engine.connect({ timeout: 30 }), PoolTimeoutError);
    const waiting = engine.connect();
    const pool = { 'db.client.connection.pool.name': 'shop' };
    assert.deepEqual(
      await figure('db.client.connection.pending_requests').then(([point]) => [point?.value, point?.attributes]),
      [1, pool],
    );
    await first.close();
    await (await waiting).close();
    const counts = (await figure('db.client.connection.count')).map(({ value, attributes }) => [
      attributes['db.client.connection.state'],
      value,
    ]);
    assert.deepEqual(counts, [
      ['idle', 1],
      ['used', 1],
    ]);
    await second.close();
    assert.deepEqual(
      (await figure('db.client.connection.max')).map(({ value }) => value),
      [2],
    );
    assert.deepEqual(
      (await figure('db.client.connection.timeouts')).map(({ value }) => value),
      [1],
    );
    const count = (points: Awaited<ReturnType<typeof figure>>): number =>
      (points[0]?.value as { readonly count: number } | undefined)?.count ?? 0;
    assert.ok(count(await figure('db.client.connection.create_time')) >= 2);
    assert.ok(count(await figure('db.client.connection.wait_time')) >= 3);
    const permits = await figure('athanor.budget.permits');
    assert.ok(permits.some(({ attributes, value }) => attributes['athanor.budget.state'] === 'held' && value === 2));
    await sessionmaker({ bind: engine }).begin(async (session) => {
      session.addAll([new Order({ id: 7, note: 'a' }), new Order({ id: 8, note: 'b' })]);
    });
    assert.deepEqual(
      (await figure('athanor.flush.rows')).map(({ value }) => value),
      [2],
    );
    assert.equal(count(await figure('athanor.flush.duration')), 1);
  });

  it('nothing is made once it was stopped, and nobody subscribes then', async () => {
    stop();
    await engine.begin((connection) => connection.raw('select 1').all());
    assert.deepEqual(spans.getFinishedSpans(), []);
    for (const name of ['query', 'transaction', 'connect', 'pool:acquire', 'flush']) {
      assert.equal(channel(`tracing:athanor:${name}:start`).hasSubscribers, false, name);
    }
  });

  it('without the text, and without transactions, where they are not wanted; by the registered provider', async () => {
    stop();
    trace.setGlobalTracerProvider(tracerProvider);
    stop = instrument({ queryText: false, transactions: false });
    let outer: Context | undefined;
    await tracer.startActiveSpan('outer', async (span) => {
      outer = context.active();
      await engine.begin((connection) => connection.execute(select(Order.c.id)).all());
      span.end();
    });
    const query = named('SELECT orders');
    assert.equal('db.query.text' in query.attributes, false);
    assert.equal(query.parentSpanContext?.spanId, trace.getSpan(outer as Context)?.spanContext().spanId);
    assert.ok(!spans.getFinishedSpans().some(({ name }) => name === 'transaction'));
  });
});

describe('query summaries', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['select * from users', 'SELECT users', 'users'],
    ['SELECT "a".x FROM "my table" AS a JOIN public.b ON true', 'SELECT my table public.b', undefined],
    ['insert into t (x) values (1)', 'INSERT t', 't'],
    ['WITH c AS (select * from a) DELETE FROM b USING c', 'DELETE a b', undefined],
    ['with recursive c (n) as (select 1 union all select n + 1 from c) select * from c', 'SELECT', undefined],
    ["/* from evil */ update t set a = 'from x' -- join y", 'UPDATE t', 't'],
    ['CREATE TABLE IF NOT EXISTS t (id int)', 'CREATE t', 't'],
    ['BEGIN', 'BEGIN', undefined],
    ['', 'UNKNOWN', undefined],
  ];
  for (const [sql, summary, collection] of cases) {
    it(`${sql === '' ? 'nothing' : sql} is ${summary}`, () => {
      assert.equal(querySummary(sql).text, summary);
      assert.equal(querySummary(sql).collection, collection);
    });
  }

  it('values that stand in a text are taken out, names and placeholders are not', () => {
    assert.equal(
      withoutLiterals(`select 'it''s', 42, -1.5e3, $1, ?2, col1, "t2"."3c", $$secret$$, $a$x$a$ from t4`),
      `select ?, ?, -?, $1, ?2, col1, "t2"."3c", ?, ? from t4`,
    );
  });
});
