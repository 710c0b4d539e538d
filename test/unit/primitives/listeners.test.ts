import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Listeners } from '../../../src/primitives/listeners.ts';

interface Events {
  readonly spoke: (word: string, times: number) => void;
  readonly asked: (question: string) => string;
}

test('listeners are called in the order they came, with what was handed over', () => {
  const listeners = new Listeners<Events>();
  const heard: string[] = [];
  listeners.on('spoke', (word, times) => void heard.push(`first ${word} ${times}`));
  const leave = listeners.on('spoke', (word) => void heard.push(`second ${word}`));
  listeners.emit('spoke', 'a', 1);
  leave();
  leave();
  listeners.emit('spoke', 'b', 2);
  assert.deepEqual(heard, ['first a 1', 'second a', 'first b 2']);
  assert.equal(listeners.count, 1);
});

test('an event nobody listens to has no listeners, whatever else is heard', () => {
  const listeners = new Listeners<Events>();
  assert.equal(listeners.of('spoke'), undefined);
  const leave = listeners.on('asked', (question) => `${question}!`);
  assert.equal(listeners.of('spoke'), undefined);
  assert.deepEqual(
    listeners.of('asked')?.map((answer) => answer('why')),
    ['why!'],
  );
  leave();
  assert.equal(listeners.of('asked'), undefined);
});

test('once listens once, also when it speaks itself', () => {
  const listeners = new Listeners<Events>();
  let calls = 0;
  listeners.on(
    'spoke',
    () => {
      calls += 1;
      listeners.emit('spoke', 'again', 1);
    },
    { once: true },
  );
  listeners.emit('spoke', 'a', 1);
  assert.equal(calls, 1);
  assert.equal(listeners.count, 0);
});

test('a signal ends a subscription, and a subscription leaves nothing on its signal', () => {
  const listeners = new Listeners<Events>();
  const controller = new AbortController();
  const { signal } = controller;
  let calls = 0;
  listeners.on('spoke', () => void (calls += 1), { signal });
  listeners.on('spoke', () => void (calls += 1), { signal })();
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  listeners.emit('spoke', 'a', 1);
  controller.abort();
  listeners.emit('spoke', 'b', 1);
  listeners.on('spoke', () => void (calls += 1), { signal });
  listeners.emit('spoke', 'c', 1);
  assert.equal(calls, 1);
  assert.equal(listeners.count, 0);
});

test('who comes or goes during a round does not disturb it', () => {
  const listeners = new Listeners<Events>();
  const heard: string[] = [];
  let leave = (): void => {};
  listeners.on('spoke', () => {
    heard.push('first');
    leave();
    listeners.on('spoke', () => void heard.push('late'));
  });
  leave = listeners.on('spoke', () => void heard.push('second'));
  listeners.emit('spoke', 'a', 1);
  assert.deepEqual(heard, ['first', 'second']);
});

test('the same function subscribed twice is two subscriptions', () => {
  const listeners = new Listeners<Events>();
  let calls = 0;
  const listener = (): void => void (calls += 1);
  const leave = listeners.on('spoke', listener);
  listeners.on('spoke', listener);
  leave();
  listeners.emit('spoke', 'a', 1);
  assert.equal(calls, 1);
});

test('what a listener throws reaches the one who speaks', () => {
  const listeners = new Listeners<Events>();
  listeners.on('spoke', () => {
    throw new TypeError('not here');
  });
  assert.throws(() => listeners.emit('spoke', 'a', 1), TypeError);
});

test('a listener may go before the others', () => {
  const listeners = new Listeners<{ said(word: string): void }>();
  const heard: string[] = [];
  listeners.on('said', () => heard.push('first'));
  listeners.on('said', () => heard.push('before'), { prepend: true });
  listeners.emit('said', 'x');
  assert.deepEqual(heard, ['before', 'first']);
});

test('it can be asked whether a function listens, and be told to forget it', () => {
  const listeners = new Listeners<{ said(word: string): void }>();
  const heard: string[] = [];
  const listener = (word: string): void => void heard.push(word);
  listeners.on('said', listener);
  listeners.on('said', listener, { once: true });
  assert.equal(listeners.has('said', listener), true);
  assert.equal(listeners.off('said', listener), true);
  assert.equal(listeners.has('said', listener), false);
  assert.equal(listeners.off('said', listener), false);
  listeners.emit('said', 'x');
  assert.deepEqual(heard, []);
  assert.equal(listeners.count, 0);
});
