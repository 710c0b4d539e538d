// The permit protocol, bare: children that ask, open, close and are killed; a broker that grants, dies and is
// replaced; a server that notices a dead client late. Each weakness can be put in by an option, and must be found.
import type { Model } from './explorer.ts';

/** How a broker works. The right one has all of them. */
export interface Variant {
  /** A child gives its permit back only after the server has closed the connection, not while it closes. */
  readonly releaseAfterClose: boolean;
  /** A dead child's permits are kept until the server confirms that their connections are gone. */
  readonly quarantine: boolean;
  /** Grants of an earlier broker are not used. */
  readonly epochs: boolean;
  /** A new broker asks everybody what they hold, and the server what lingers, before it grants. */
  readonly rollCall: boolean;
  /** A child that dies in the roll-call leaves it, and what it left is counted anew. */
  readonly deadLeaveRollCall: boolean;
}

export interface World {
  readonly permits: number;
  readonly children: number;
  readonly kills: number;
  readonly brokerCrashes: number;
}

interface Child {
  up: boolean;
  held: number;
  connections: number;
  asking: boolean;
  /** The broker it knows. */
  epoch: number;
  /** What it has sent and the broker has not read. */
  sent: ToBroker[];
  down: ToChild[];
}
type ToBroker =
  | { type: 'want' | 'closed'; epoch: number }
  | { type: 'eof' }
  | { type: 'have'; epoch: number; held: number };
type ToChild = { type: 'grant' | 'welcome'; epoch: number };

interface State {
  children: Child[];
  broker: { up: boolean; epoch: number; granted: number[]; waiting: number[]; quarantined: number; missing: number[] };
  /** Connections of dead clients the server still has. */
  lingering: number;
  kills: number;
  crashes: number;
}

type Step = (state: State) => void;

/** The model of one variant in one world. */
export function permitModel(variant: Variant, world: World): Model<State> {
  return {
    initial: initialState(world),
    *steps(state) {
      for (const [what, step] of possible(state, variant, world)) {
        const after = structuredClone(state);
        step(after);
        yield [what, after];
      }
    },
    wrong(state) {
      const live = state.children.reduce((sum, child) => sum + child.connections, 0);
      const total = live + state.lingering;
      return total > world.permits ? `${total} connections on a budget of ${world.permits}` : undefined;
    },
  };
}

function initialState(world: World): State {
  const child = (): Child => ({ up: true, held: 0, connections: 0, asking: false, epoch: 1, sent: [], down: [] });
  return {
    children: Array.from({ length: world.children }, child),
    broker: {
      up: true,
      epoch: 1,
      granted: Array.from({ length: world.children }, () => 0),
      waiting: [],
      quarantined: 0,
      missing: [],
    },
    lingering: 0,
    kills: world.kills,
    crashes: world.brokerCrashes,
  };
}

function* possible(state: State, variant: Variant, world: World): Generator<[string, Step]> {
  for (let i = 0; i < world.children; i += 1) {
    yield* childSteps(state, i, variant);
    if (state.broker.up && at(state.children, i).sent.length > 0) {
      yield [`the broker hears child ${i}`, (after) => brokerHears(after, i, variant)];
    }
  }
  yield* brokerSteps(state, variant, world);
  if (state.lingering > 0) {
    yield [
      'the server notices a dead client',
      (after) => {
        after.lingering -= 1;
      },
    ];
  }
}

function* childSteps(state: State, i: number, variant: Variant): Generator<[string, Step]> {
  const child = at(state.children, i);
  const step = (run: (child: Child, after: State) => void): Step => {
    return (after) => run(at(after.children, i), after);
  };
  if (child.up && !child.asking && child.held === 0 && child.sent.length < 2) {
    yield [
      `child ${i} asks`,
      step((c) => {
        c.asking = true;
        c.sent.push({ type: 'want', epoch: c.epoch });
      }),
    ];
  }
  if (child.down.length > 0) yield [`child ${i} hears`, step((c) => childHears(c, variant))];
  if (child.up && child.held > child.connections) {
    yield [
      `child ${i} connects`,
      step((c) => {
        c.connections += 1;
      }),
    ];
  }
  if (child.up && child.connections > 0) {
    yield [
      `child ${i} disconnects`,
      step((c, after) => {
        c.held -= 1;
        c.connections -= 1;
        if (!variant.releaseAfterClose) after.lingering += 1;
        c.sent.push({ type: 'closed', epoch: c.epoch });
      }),
    ];
  }
  if (child.up && state.kills > 0) {
    yield [
      `child ${i} is killed`,
      step((c, after) => {
        after.kills -= 1;
        after.lingering += c.connections;
        Object.assign(c, { up: false, held: 0, connections: 0, asking: false, epoch: 0, down: [] });
        c.sent.push({ type: 'eof' });
      }),
    ];
  }
  const { broker } = state;
  if (!child.up && child.sent.length === 0 && broker.up && broker.granted[i] === 0) {
    yield [
      `child ${i} starts again`,
      step((c, after) => {
        Object.assign(c, { up: true, epoch: after.broker.epoch, down: [] });
      }),
    ];
  }
}

function childHears(child: Child, variant: Variant): void {
  const message = child.down.shift();
  if (!child.up || message === undefined) return;
  if (message.type === 'welcome') {
    child.epoch = message.epoch;
    child.asking = false;
    if (variant.rollCall) child.sent.push({ type: 'have', epoch: message.epoch, held: child.held });
  } else if (!variant.epochs || message.epoch === child.epoch) {
    child.held += 1;
    child.asking = false;
  }
}

function brokerHears(state: State, i: number, variant: Variant): void {
  const { broker } = state;
  const message = at(state.children, i).sent.shift();
  if (message === undefined) return;
  if (message.type === 'eof') {
    if (variant.quarantine) broker.quarantined += broker.granted[i] ?? 0;
    broker.granted[i] = 0;
    broker.waiting = broker.waiting.filter((waiter) => waiter !== i);
    if (variant.deadLeaveRollCall) leaveRollCall(state, i);
  } else if (message.type === 'have') {
    if (message.epoch !== broker.epoch) return;
    broker.granted[i] = message.held;
    broker.missing = broker.missing.filter((missing) => missing !== i);
  } else if (!variant.epochs || message.epoch === broker.epoch) {
    if (message.type === 'want') broker.waiting.push(i);
    else broker.granted[i] = Math.max(0, (broker.granted[i] ?? 0) - 1);
  }
}

function leaveRollCall(state: State, i: number): void {
  const { broker } = state;
  if (!broker.missing.includes(i)) return;
  broker.missing = broker.missing.filter((missing) => missing !== i);
  broker.quarantined = Math.max(broker.quarantined, state.lingering);
}

function* brokerSteps(state: State, variant: Variant, world: World): Generator<[string, Step]> {
  const { broker } = state;
  if (!broker.up) {
    yield ['a new broker starts', (after) => startBroker(after, variant)];
    return;
  }
  const used = broker.granted.reduce((sum, count) => sum + count, broker.quarantined);
  if (broker.waiting.length > 0 && used < world.permits && broker.missing.length === 0) {
    yield [
      'the broker grants',
      (after) => {
        const i = after.broker.waiting.shift() as number;
        after.broker.granted[i] = (after.broker.granted[i] ?? 0) + 1;
        at(after.children, i).down.push({ type: 'grant', epoch: after.broker.epoch });
      },
    ];
  }
  if (variant.quarantine && broker.quarantined > 0 && state.lingering < broker.quarantined) {
    yield [
      'the server confirms',
      (after) => {
        after.broker.quarantined = after.lingering;
      },
    ];
  }
  if (state.crashes > 0) {
    yield [
      'the broker dies',
      (after) => {
        after.crashes -= 1;
        after.broker.up = false;
      },
    ];
  }
  if (!variant.deadLeaveRollCall) return;
  for (const i of broker.missing) {
    const child = at(state.children, i);
    if (!child.up && child.sent.length === 0) {
      yield [`the broker sees child ${i} dead`, (after) => leaveRollCall(after, i)];
    }
  }
}

function startBroker(state: State, variant: Variant): void {
  const epoch = state.broker.epoch + 1;
  const alive = state.children.flatMap((child, i) => (child.up ? i : []));
  state.broker = {
    up: true,
    epoch,
    granted: state.children.map(() => 0),
    waiting: [],
    quarantined: variant.rollCall ? state.lingering : 0,
    missing: variant.rollCall ? alive : [],
  };
  for (const [i, child] of state.children.entries()) {
    child.sent = child.sent.filter((message) => message.type === 'eof');
    child.down = alive.includes(i) ? [{ type: 'welcome', epoch }] : [];
  }
}

function at<T>(list: readonly T[], i: number): T {
  return list[i] as T;
}
