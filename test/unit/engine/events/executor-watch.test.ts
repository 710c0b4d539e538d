// With nobody looking on nothing is made for them, and asking whether somebody does costs next to nothing.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { it, mock } from 'node:test';
import { ExecutorWatch } from '../../../../src/engine/events/executor-watch.ts';
import { EngineWatch } from '../../../../src/engine/events/engine-watch.ts';
import { EventHub, everyEngine } from '../../../../src/engine/events/event-hub.ts';
import { engineFixture } from '../engine-fixture.ts';

function watch(): { readonly hub: EventHub; readonly executor: ExecutorWatch } {
  const hub = new EventHub(everyEngine);
  const facts = { system: 'x', url: 'x:', name: undefined, address: undefined, port: undefined, namespace: undefined };
  return { hub, executor: new ExecutorWatch(new EngineWatch({ facts, hub, tracer: undefined, invalidate: () => {} })) };
}

it('[X18] a statement nobody looks at makes nothing for onlookers', async () => {
  const start = mock.method(ExecutorWatch.prototype, 'start');
  const before = mock.method(ExecutorWatch.prototype, 'before');
  try {
    const { engine } = engineFixture();
    await engine.begin((connection) => connection.raw('select 1').all());
    assert.equal(start.mock.callCount() + before.mock.callCount(), 0);
    const off = engine.on('begin', () => {});
    await engine.begin((connection) => connection.raw('select 1').all());
    assert.equal(before.mock.callCount(), 1);
    assert.equal(start.mock.callCount(), 2, 'the statement with its BEGIN, and COMMIT');
    off();
    await engine.begin((connection) => connection.raw('select 1').all());
    assert.equal(before.mock.callCount(), 1);
  } finally {
    mock.restoreAll();
  }
});

it('listeners and subscribers wake it, and it sleeps again without them', () => {
  const { hub, executor } = watch();
  assert.equal(executor.idle, true);
  const ways: readonly (() => () => void)[] = [
    () => hub.on('begin', () => {}),
    () => executor.listeners.on('begin', () => {}),
    () => everyEngine.on('begin', () => {}),
    ...['tracing:athanor:query:asyncEnd', 'tracing:athanor:transaction:start'].map((name) => () => {
      const listener = (): void => {};
      subscribe(name, listener);
      return () => void unsubscribe(name, listener);
    }),
  ];
  for (const wake of ways) {
    const sleep = wake();
    assert.equal(executor.idle, false);
    sleep();
    assert.equal(executor.idle, true);
  }
});

it('the check takes well under a microsecond', (context) => {
  const { executor } = watch();
  const times = 200_000;
  let best = Number.POSITIVE_INFINITY;
  let idle = 0;
  for (let round = 0; round < 5; round += 1) {
    const begun = performance.now();
    for (let index = 0; index < times; index += 1) if (executor.idle) idle += 1;
    best = Math.min(best, ((performance.now() - begun) * 1e6) / times);
  }
  context.diagnostic(`${best.toFixed(1)} ns`);
  assert.equal(idle, times * 5);
  assert.ok(best < 500, `${best} ns`);
});
