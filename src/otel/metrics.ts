// Figures by the names of OpenTelemetry's conventions: how long operations take, how the pools stand, who waits.
import type { Attributes, Histogram, Meter, ObservableResult } from '@opentelemetry/api';
import { ACQUIRE, CONNECT, FLUSH, QUERY } from '../engine/events/channels.ts';
import type { EngineFacts } from '../engine/events/engine-facts.ts';
import { type LiveEngine, liveEngines } from '../engine/events/live-engines.ts';
import { BudgetTimeoutError, PoolTimeoutError } from '../errors/index.ts';
import { databaseAttributes, errorAttributes, operationOf, poolName } from './attributes.ts';
import { subscribe } from './subscribe.ts';

/** Seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

function poolAttributes(facts: EngineFacts): Attributes {
  return { 'db.client.connection.pool.name': poolName(facts) };
}

/** Keeps figures until what comes back is called. */
export function keepMetrics(meter: Meter): () => void {
  const offs = [...keepTimes(meter), ...keepStates(meter)];
  return () => {
    for (const off of offs) off();
  };
}

function keepTimes(meter: Meter): readonly (() => void)[] {
  const seconds = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BUCKETS } });
  const operations = seconds('db.client.operation.duration', 'Duration of database client operations.');
  const created = seconds('db.client.connection.create_time', 'The time it took to open a connection.');
  const waited = seconds('db.client.connection.wait_time', 'The time it took to get a connection from the pool.');
  const flushed = seconds('athanor.flush.duration', 'How long it took to write what a session had changed.');
  const rows = meter.createCounter('athanor.flush.rows', { description: 'Rows written by flushes.', unit: '{row}' });
  const timeouts = meter.createCounter('db.client.connection.timeouts', {
    description: 'Waits for a connection that ended without one.',
    unit: '{timeout}',
  });
  const begin = (): number => performance.now();
  return [
    subscribe(QUERY, {
      begin,
      end(query, begun) {
        const attributes = { ...databaseAttributes(query.engine), ...operationOf(query).attributes };
        operations.record(since(begun), { ...attributes, ...errorAttributes(query.error) });
      },
    }),
    subscribe(CONNECT, {
      begin,
      end({ engine, error }, begun) {
        if (error === undefined) created.record(since(begun), poolAttributes(engine));
      },
    }),
    subscribe(ACQUIRE, {
      begin,
      end({ engine, error }, begun) {
        if (error === undefined) waited.record(since(begun), poolAttributes(engine));
        else if (error instanceof PoolTimeoutError || error instanceof BudgetTimeoutError) {
          timeouts.add(1, poolAttributes(engine));
        }
      },
    }),
    subscribe(FLUSH, {
      begin,
      end({ system, rows: written, error }, begun) {
        const attributes = { 'db.system.name': system };
        flushed.record(since(begun), { ...attributes, ...errorAttributes(error) });
        if (error === undefined) rows.add(written, attributes);
      },
    }),
  ];
}

function since(begun: number): number {
  return (performance.now() - begun) / 1_000;
}

interface Gauge {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly read: (engine: LiveEngine, attributes: Attributes, result: ObservableResult) => void;
}

/** Read when somebody collects, of the engines that are there then. */
const GAUGES: readonly Gauge[] = [
  {
    name: 'db.client.connection.count',
    unit: '{connection}',
    description: 'Connections by state.',
    read({ pool }, attributes, result) {
      const { idle, inUse } = pool.status;
      result.observe(idle, { ...attributes, 'db.client.connection.state': 'idle' });
      result.observe(inUse, { ...attributes, 'db.client.connection.state': 'used' });
    },
  },
  {
    name: 'db.client.connection.pending_requests',
    unit: '{request}',
    description: 'Who waits for a connection.',
    read: ({ pool }, attributes, result) => result.observe(pool.status.waiting, attributes),
  },
  {
    name: 'db.client.connection.max',
    unit: '{connection}',
    description: 'The most connections there may be.',
    read({ pool }, attributes, result) {
      if (Number.isFinite(pool.status.max)) result.observe(pool.status.max, attributes);
    },
  },
  {
    name: 'athanor.budget.permits',
    unit: '{permit}',
    description: 'Permits of the shared budget: held here, and the most that may be.',
    read({ pool }, attributes, result) {
      const { held, most } = pool.status.permits;
      result.observe(held, { ...attributes, 'athanor.budget.state': 'held' });
      if (most !== undefined) result.observe(most, { ...attributes, 'athanor.budget.state': 'most' });
    },
  },
];

function keepStates(meter: Meter): readonly (() => void)[] {
  return GAUGES.map(({ name, unit, description, read }) => {
    const instrument = meter.createObservableUpDownCounter(name, { unit, description });
    const observe = (result: ObservableResult): void => {
      for (const engine of liveEngines()) read(engine, poolAttributes(engine.watch.facts), result);
    };
    instrument.addCallback(observe);
    return () => instrument.removeCallback(observe);
  });
}
