import assert from 'node:assert/strict';
import test from 'node:test';
import { Broker, type BrokerAction, type BrokerTimes, type Survey } from '../../../../src/process/broker/broker.ts';
import type { BrokerMessage, ClientMessage } from '../../../../src/process/messages.ts';
import { sessionName } from '../../../../src/process/broker/permit-ledger.ts';

const TAG = '0123456789';

/** A broker, a clock held in the hand, and a server whose list is written by the test. */
class Table {
  now = 0;
  readonly broker: Broker;
  readonly sent: { client: number; message: BrokerMessage }[] = [];
  readonly cut: string[] = [];
  readonly terminated: number[] = [];
  asked = false;
  checked: readonly { pid: number }[] = [];

  constructor(members: readonly string[] = [], times: Partial<BrokerTimes> = {}) {
    this.broker = new Broker({ tag: TAG, epoch: 36, pid: 1, members, times }, 0);
  }

  do(actions: readonly BrokerAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.sent.push(action);
      else if (action.type === 'cut') this.cut.push(action.reason);
      else if (action.type === 'terminate') this.terminated.push(action.session.pid);
      else {
        this.asked = true;
        this.checked = action.check;
      }
    }
  }

  join(
    client: number,
    { limit = null, member = `${client}.0.a` }: { limit?: number | null; member?: string } = {},
  ): void {
    const hello = {
      type: 'hello',
      token: '',
      member,
      pid: client,
      thread: 0,
      epoch: 0,
      application: '',
      limit,
    } as const;
    this.do(this.broker.join(client, hello, this.now));
    this.say(client, { type: 'have', permits: [], last: true });
  }

  say(client: number, message: ClientMessage): void {
    this.do(this.broker.receive(client, message, this.now));
  }

  want(client: number, request: number, wait = 60_000): void {
    this.say(client, { type: 'want', request, wait });
  }

  /** The server answers, and has so many connections for us. */
  answer(available: number, sessions: Survey['sessions'] = [], alive: Survey['alive'] = []): void {
    assert.ok(this.asked, 'the server was not asked');
    this.asked = false;
    this.do(this.broker.surveyed({ sessions, alive, limits: { available, others: 0, text: '' } }, this.now));
  }

  pass(time: number): void {
    for (const end = this.now + time; ; ) {
      const next = Math.min(this.broker.wakeAt ?? Infinity, end);
      this.now = Math.max(this.now, next);
      this.do(this.broker.tick(this.now));
      if (next >= end) return;
      this.now += 1;
    }
  }

  grants(client: number): string[] {
    return this.sent.flatMap(({ client: to, message }) =>
      to === client && message.type === 'grant' ? message.id : [],
    );
  }
  of<T extends BrokerMessage['type']>(client: number, type: T): Extract<BrokerMessage, { type: T }>[] {
    return this.sent.flatMap(({ client: to, message }) => {
      return to === client && message.type === type ? (message as Extract<BrokerMessage, { type: T }>) : [];
    });
  }
  /** Grants so many to a client, each opened on a server process of its own. */
  give(client: number, count: number): string[] {
    const before = this.grants(client).length;
    for (let i = 1; i <= count; i += 1) this.want(client, before + i);
    const ids = this.grants(client).slice(before);
    for (const [i, id] of ids.entries()) this.say(client, { type: 'opened', id, pid: client * 100 + i, start: 's' });
    return ids;
  }
}

/** A broker that has asked, with clients. */
function table(budget: number, clients: number, times?: Partial<BrokerTimes>): Table {
  const made = new Table([], times);
  made.do(made.broker.tick(0));
  for (let client = 1; client <= clients; client += 1) made.join(client);
  made.answer(budget);
  return made;
}

test('nothing is granted before the server was asked; one permit is the broker’s own, the last one for who has none', () => {
  const at = new Table();
  at.join(1);
  for (let i = 1; i <= 6; i += 1) at.want(1, i);
  assert.deepEqual(at.grants(1), []);
  at.answer(5);
  assert.deepEqual(at.grants(1), ['10-1', '10-2', '10-3']);
  assert.deepEqual(at.broker.counts, { budget: 5, granted: 3, quarantined: 0, free: 1 });
  at.join(2);
  at.want(2, 1);
  assert.deepEqual(at.grants(2), ['10-4']);
});

test('the smallest number given is the budget, whatever the server has; without one the server’s', () => {
  const at = table(20, 1);
  at.join(2, { limit: 8 });
  at.join(3, { limit: 6 });
  assert.equal(at.broker.counts.budget, 6);
  at.do(at.broker.leave(3, false, at.now));
  assert.equal(at.broker.counts.budget, 8);
  at.do(at.broker.leave(2, false, at.now));
  assert.equal(at.broker.counts.budget, 20);
  assert.deepEqual(
    at.of(1, 'budget').map(({ budget }) => budget),
    [20, 8, 6, 8, 20],
  );
});

test('the budget shrinks when two readings agree, and grows at once; never below 2', () => {
  const at = table(10, 1);
  at.give(1, 8);
  at.pass(5000);
  at.answer(4);
  assert.equal(at.broker.counts.budget, 10);
  at.pass(200);
  at.answer(5);
  assert.deepEqual(at.broker.counts, { budget: 5, granted: 8, quarantined: 0, free: -4 });
  // What is too much is asked back, though nobody waits.
  assert.equal(
    at.of(1, 'recall').reduce((sum, { count }) => sum + count, 0),
    4,
  );
  at.pass(5000);
  at.answer(12);
  assert.equal(at.broker.counts.budget, 12);
  at.pass(5000);
  at.answer(-3);
  at.pass(200);
  at.answer(-3);
  assert.equal(at.broker.counts.budget, 2);
});

test('a hint that the server is full makes the broker look again at once', () => {
  const at = table(10, 1);
  at.say(1, { type: 'full' });
  at.pass(100);
  at.answer(8);
});

test('equal shares: idle permits are asked back from who has most, none younger than 250 ms, none twice at once', () => {
  const at = table(8, 2);
  at.give(1, 6);
  at.give(2, 1);
  at.want(2, 2);
  assert.equal(at.of(1, 'recall').length, 0);
  at.pass(249);
  assert.equal(at.of(1, 'recall').length, 0);
  at.pass(2);
  assert.deepEqual(
    at.of(1, 'recall').map(({ count }) => count),
    [1],
  );
  at.pass(200);
  assert.equal(at.of(1, 'recall').length, 1);
  // It could not. Others would be asked, and after a while it is again.
  at.pass(60);
  assert.equal(at.of(1, 'recall').length, 2);
  assert.equal(at.of(2, 'recall').length, 0);
});

test('bounded bypass: a process without a permit is never passed over by one that has some', () => {
  const at = table(4, 5);
  at.give(1, 1);
  at.give(2, 1);
  const [id = ''] = at.give(3, 1);
  at.want(1, 2);
  at.want(2, 2);
  at.want(4, 1);
  at.want(5, 1);
  at.say(3, { type: 'closed', id, clean: true });
  assert.equal(at.grants(4).length, 1);
  at.say(4, { type: 'closed', id: at.grants(4)[0] ?? '', clean: true });
  assert.equal(at.grants(5).length, 1);
  assert.deepEqual([at.grants(1).length, at.grants(2).length], [1, 1]);
});

test('a wait ends at its deadline, with the numbers', () => {
  const at = table(3, 2);
  at.give(1, 1);
  at.give(2, 1);
  at.want(2, 2, 500);
  at.pass(499);
  assert.equal(at.of(2, 'refuse').length, 0);
  at.pass(1);
  const [refusal] = at.of(2, 'refuse');
  assert.equal(refusal?.request, 2);
  assert.deepEqual(refusal?.facts, {
    waited: 500,
    held: 1,
    used: 3,
    budget: 3,
    quarantined: 0,
    waiting: 1,
    holders: [
      { pid: 1, thread: 0, application: '', permits: 1, age: 500 },
      { pid: 2, thread: 0, application: '', permits: 1, age: 500 },
    ],
    reason: null,
  });
});

test('a dead process leaves its permits in quarantine until the server no longer shows them', () => {
  const at = table(4, 2);
  const [id = ''] = at.give(1, 1);
  at.do(at.broker.leave(1, false, at.now));
  assert.deepEqual(at.broker.counts, { budget: 4, granted: 0, quarantined: 1, free: 2 });
  at.pass(100);
  assert.deepEqual(at.checked, [{ pid: 100, start: 's' }]);
  // Still there by its name; then only by pid and start; then the number is another's; then gone.
  at.answer(4, [{ pid: 100, start: 's', applicationName: sessionName(TAG, 1, id) }]);
  assert.equal(at.broker.counts.quarantined, 1);
  at.pass(100);
  at.answer(4, [], [{ pid: 100, start: 's' }]);
  assert.equal(at.broker.counts.quarantined, 1);
  assert.deepEqual(at.terminated, []);
  at.pass(1900);
  assert.deepEqual(at.terminated, [100]);
  at.answer(4, [], [{ pid: 100, start: 'other' }]);
  assert.deepEqual(at.broker.counts, { budget: 4, granted: 0, quarantined: 0, free: 3 });
});

test('killed between grant and open: a connection half made is waited for, and found', () => {
  const at = table(4, 1);
  at.want(1, 1);
  const [id = ''] = at.grants(1);
  at.do(at.broker.leave(1, false, at.now));
  at.pass(100);
  at.answer(4);
  assert.equal(at.broker.counts.quarantined, 1, 'too early to know');
  at.pass(100);
  at.answer(4, [{ pid: 77, start: 's', applicationName: sessionName(TAG, 1, id) }]);
  at.pass(500);
  at.answer(4, [{ pid: 77, start: 's', applicationName: sessionName(TAG, 1, id) }]);
  assert.equal(at.broker.counts.quarantined, 1);
  at.pass(1500);
  assert.deepEqual(at.terminated, [77]);
  at.answer(4);
  assert.equal(at.broker.counts.quarantined, 0);
});

test('quarantine lasts as long as the server cannot be asked', () => {
  const at = table(3, 2);
  at.give(1, 1);
  at.give(2, 1);
  at.do(at.broker.leave(1, false, at.now));
  at.want(2, 2, 20_000);
  const failure = { athanor: 'error', kind: 'Error', name: 'Error', message: 'no route to host', fields: {} } as const;
  for (let i = 0; i < 10; i += 1) {
    at.pass(1000);
    assert.equal(at.asked, true);
    at.asked = false;
    at.do(at.broker.surveyFailed(failure, false, at.now));
    assert.equal(at.broker.counts.quarantined, 1);
  }
  at.pass(10_000);
  assert.match(at.of(2, 'refuse')[0]?.facts.reason ?? '', /could not be asked: no route to host/);
});

test('a server that never could be asked, and never will, is told to all who wait', () => {
  const at = new Table();
  at.join(1);
  at.want(1, 1);
  const failure = { athanor: 'error', kind: 'ATH_AUTHENTICATION', name: 'x', message: 'no', fields: {} } as const;
  at.asked = false;
  at.do(at.broker.surveyFailed(failure, true, 0));
  assert.equal(at.of(1, 'refuse').length, 0);
  at.pass(100);
  at.asked = false;
  at.do(at.broker.surveyFailed(failure, false, at.now));
  assert.equal(at.of(1, 'refuse')[0]?.error, failure);
});

test('a new broker waits for all members, counts what nobody claims, and spares what the silent hold', () => {
  const at = new Table(['1.0.a', '2.0.a', '3.0.a', '4.0.a']);
  at.do(at.broker.tick(0));
  const listed = [1, 2, 3, 4].map((pid) => ({
    pid: pid * 100,
    start: 's',
    applicationName: sessionName(TAG, pid, `z-${pid}`),
  }));
  at.answer(10, listed);
  assert.equal(at.broker.counts.quarantined, 4);
  // 1 claims, 2 has left, 3 is dead, 4 is silent.
  const hello = {
    type: 'hello',
    token: '',
    member: '1.0.a',
    pid: 1,
    thread: 0,
    epoch: 35,
    application: '',
    limit: null,
  } as const;
  at.do(at.broker.join(1, hello, 0));
  at.say(1, { type: 'have', permits: [{ id: 'z-1', pid: 100, start: 's' }], last: false });
  at.say(1, { type: 'have', permits: [{ id: 'y-9' }], last: true });
  at.want(1, 1);
  at.do(at.broker.resigned('2.0.a', 0));
  at.do(at.broker.died('3.0.a', 0));
  assert.equal(at.broker.ready, false);
  assert.deepEqual(at.broker.missing, ['4.0.a']);
  at.pass(14_999);
  at.say(1, { type: 'beat' });
  assert.equal(at.broker.ready, false);
  assert.deepEqual(at.grants(1), []);
  at.pass(1);
  assert.equal(at.asked, true);
  at.answer(10, listed);
  at.pass(1);
  if (at.asked) at.answer(10, listed);
  assert.equal(at.broker.ready, true);
  assert.equal(at.grants(1).length, 1);
  assert.deepEqual(at.broker.counts, { budget: 10, granted: 3, quarantined: 3, free: 3 });
  at.pass(10_000);
  // The one that left may have another thread; the silent one's connection is let live.
  assert.deepEqual([...new Set(at.terminated)], [300]);
});

test('a member that died in the roll-call makes the list be asked for anew', () => {
  const at = new Table(['1.0.a']);
  at.do(at.broker.tick(0));
  at.answer(5);
  at.join(2);
  at.want(2, 1);
  at.now = 50;
  at.do(at.broker.died('1.0.a', 50));
  assert.equal(at.broker.ready, false);
  at.pass(400);
  if (at.asked) at.answer(5);
  assert.equal(at.broker.ready, false, 'a connection half made may not be listed yet');
  at.pass(200);
  at.answer(5);
  assert.equal(at.grants(2).length, 1);
});

test('[B28] who claims what is not his is cut, and harms nobody', () => {
  const at = table(6, 2);
  const [id = ''] = at.give(1, 1);
  at.say(2, { type: 'closed', id, clean: true });
  at.say(2, { type: 'opened', id, pid: 9 });
  assert.equal(at.broker.counts.granted, 1);
  const thief = (client: number, claimed: string): void => {
    const hello = {
      type: 'hello',
      token: '',
      member: `${client}.0.a`,
      pid: client,
      thread: 0,
      epoch: 0,
      application: '',
      limit: null,
    } as const;
    at.do(at.broker.join(client, hello, at.now));
    at.say(client, { type: 'have', permits: [{ id: claimed }], last: true });
  };
  thief(3, id);
  thief(4, '10-99');
  thief(5, 'zzz-1');
  at.say(2, { type: 'hello', token: '', member: '2.0.a', pid: 2, thread: 0, epoch: 0, application: '', limit: null });
  assert.deepEqual(at.cut, [
    'holds a permit of another process',
    'holds a permit that was never granted',
    'holds a permit that was never granted',
    'said hello twice',
  ]);
  for (let request = 1; request <= 1100; request += 1) at.want(1, 100 + request);
  assert.equal(at.cut.at(-1), 'asked for too many permits at once');
  assert.equal(at.broker.clients, 0);
});

test('what comes twice, or late, changes nothing', () => {
  const at = table(6, 1);
  const [id = ''] = at.give(1, 1);
  at.want(1, 1);
  at.say(1, { type: 'have', permits: [{ id: 'a-1' }], last: true });
  assert.equal(at.grants(1).length, 1);
  at.say(1, { type: 'closed', id, clean: true });
  at.say(1, { type: 'closed', id, clean: true });
  at.say(1, { type: 'opened', id, pid: 5 });
  at.say(1, { type: 'closed', id, clean: false });
  assert.deepEqual(at.broker.counts, { budget: 6, granted: 0, quarantined: 0, free: 5 });
  at.want(1, 9);
  at.say(1, { type: 'cancel', request: 9 });
  at.do(at.broker.receive(99, { type: 'beat' }, at.now));
});

test('a silent process gets no permit; what the server has ended of it is free again', () => {
  const at = table(4, 2);
  at.give(1, 1);
  const [id = ''] = at.give(2, 1);
  at.want(1, 2);
  at.pass(6500);
  at.say(2, { type: 'closed', id, clean: true });
  assert.equal(at.broker.counts.free, 2);
  assert.equal(at.grants(1).length, 1);
  // It was asked about as soon as it was silent.
  if (at.asked) at.answer(4, [], [{ pid: 100, start: 's' }]);
  at.pass(1000);
  assert.deepEqual(at.checked, [{ pid: 100, start: 's' }]);
  at.answer(4, [], []);
  assert.equal(at.broker.counts.granted, 0);
  // It goes on: what it waits for comes, what it lost is no news.
  at.say(1, { type: 'closed', id: at.grants(1)[0] ?? '', clean: false });
  assert.equal(at.grants(1).length, 2);
  assert.deepEqual(at.broker.counts, { budget: 4, granted: 1, quarantined: 0, free: 2 });
});

test('a process that lost its line and comes back takes its permits out of quarantine', () => {
  const at = table(4, 1);
  const [id = ''] = at.give(1, 1);
  at.do(at.broker.leave(1, true, at.now));
  assert.equal(at.broker.counts.quarantined, 1);
  const hello = {
    type: 'hello',
    token: '',
    member: '1.0.a',
    pid: 1,
    thread: 0,
    epoch: 36,
    application: '',
    limit: null,
  } as const;
  at.do(at.broker.join(7, hello, at.now));
  at.say(7, { type: 'have', permits: [{ id, pid: 100, start: 's' }], last: true });
  assert.deepEqual(at.broker.counts, { budget: 4, granted: 1, quarantined: 0, free: 2 });
});
