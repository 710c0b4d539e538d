// Act 2: the same kind of work with athanor. The variants take their turns, so many children at a time, while a hand
// kills one of them now and then and an observer of its own watches the server.
import { type Screen, styled, line } from '@athanor/cli';
import type { Iteration, Row } from '../iteration.ts';
import { actTwoView } from './act-two-view.ts';
import type { Crew, RunningChild } from './crew.ts';
import type { Backend, Observer } from './observer.ts';
import { type Options, SHARE, type VariantName } from './options.ts';
import type { Server } from './server.ts';
import { elapsedOf, type Tally, type VariantTally } from './tally.ts';
import { pause } from './usual-way.ts';

/** What every part of the act has at hand. */
export interface Stage {
  readonly options: Options;
  readonly server: Server;
  readonly observer: Observer;
  readonly crew: Crew;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

interface Variant {
  readonly increment: { fork(id: number): RunningChild };
  main(iteration: Iteration): Promise<Row[]>;
}

const FRAME = 100;
/** Beyond this a run has failed, and more of the same tells nothing. */
const ENOUGH_ERRORS = 20;
/** Every so many kills, the one killed is inside a statement that would still take a minute. */
const IN_STATEMENT = 4;

/** Each lane loads a module of its own, for the variants keep what they have in the globals of their module. */
const VARIANTS: Readonly<Record<VariantName, (lane: number) => Promise<Variant>>> = {
  globals: (lane) => import(`../globals.ts?lane=${lane}`) as Promise<Variant>,
  scoped: (lane) => import(`../scoped.ts?lane=${lane}`) as Promise<Variant>,
  cure: (lane) => import(`../cure.ts?lane=${lane}`) as Promise<Variant>,
  'forced-gc': (lane) => import(`../forced-gc.ts?lane=${lane}`) as Promise<Variant>,
};

/** Those whose main process stays inside a transaction while its children work: one of them, with all the children. */
const HOLDING: ReadonlySet<VariantName> = new Set(['scoped', 'forced-gc']);

/** Plays the act to its end, or to the signal. */
export async function actTwo(stage: Stage, screen: Screen): Promise<void> {
  const { processes, budget } = stage.options;
  screen.print([
    line(),
    line(styled('bold', 'Act 2: athanor'), `, ${processes} children at a time and one budget of ${budget} connections`),
  ]);
  const begin = performance.now();
  const [killing, watching] = [new AbortController(), new AbortController()];
  const show = (): void => screen.update(actTwoView(stage, begin));
  const watched = watch(stage, watching.signal, show);
  const killed = kill(stage, AbortSignal.any([stage.signal, killing.signal]));
  try {
    for (const name of stage.options.variants) await play(stage, name);
    killing.abort();
    await killed;
    if (stage.options.whole) await count(stage);
    if (stage.options.whole || stage.options.brokenOnly) await tryToCross(stage);
    await nobodyConnected(stage);
  } finally {
    killing.abort();
    watching.abort();
    await Promise.all([killed, watched]);
    show();
    screen.settle();
  }
}

/** One variant's turn. */
async function play(stage: Stage, name: VariantName): Promise<void> {
  const { options, tally } = stage;
  if (stage.signal.aborted) return;
  const variant = tally.variant(name);
  const holding = HOLDING.has(name);
  const rows = holding ? options.processes : 1;
  const lanes = Array.from({ length: holding ? 1 : options.processes }, (_, lane) => lane);
  let started = 0;
  /** How many rows the next iteration has; none when it is over. */
  const next = (): number => {
    if (stage.signal.aborted || tally.errors.length >= ENOUGH_ERRORS) return 0;
    const left =
      options.iterations === undefined ? (elapsedOf(variant) < SHARE ? rows : 0) : options.iterations - started;
    const claimed = Math.min(rows, left);
    started += claimed;
    return claimed;
  };
  await Promise.all(lanes.map((lane) => playLane(stage, { variant, name, lane, next })));
  variant.end = performance.now();
}

interface Lane {
  readonly variant: VariantTally;
  readonly name: VariantName;
  readonly lane: number;
  readonly next: () => number;
}

async function playLane({ crew, tally }: Stage, { variant, name, lane, next }: Lane): Promise<void> {
  const { main, increment } = await VARIANTS[name](lane);
  const child = async (id: number): Promise<void> => {
    if ((await crew.follow(name, id, increment.fork(id))) === 'killed') tally.killed(id);
  };
  for (let rows = next(); rows > 0; rows = next()) {
    try {
      tally.take(variant, await main({ rows, child }));
    } catch (error) {
      tally.errors.push(error);
    }
  }
}

/** All children on one row, in three ways; nobody is killed here, so the sum is exact. */
async function count({ options, crew, tally, signal }: Stage): Promise<void> {
  if (signal.aborted) return;
  const { main, count: job } = await import('../shared-counter.ts');
  try {
    const counts = await main({
      children: options.processes,
      child: (way, id, times) => crew.follow(`counts by ${way}`, undefined, job.fork(way, id, times)),
    });
    tally.counts.push(...counts);
  } catch (error) {
    tally.errors.push(error);
  }
}

async function tryToCross({ tally, signal }: Stage): Promise<void> {
  if (signal.aborted) return;
  const { main } = await import('../broken.ts');
  try {
    tally.attempts.push(...(await main()));
  } catch (error) {
    tally.errors.push(error);
  }
}

/** Backends of the killed that the server still has: their permits are given to nobody yet. */
export function quarantined({ crew, observer }: Stage): Backend[] {
  return observer.backends.filter(({ client }) => client !== undefined && crew.killed.has(client));
}

/** Looks at the server again and again, and shows what it saw. */
async function watch(stage: Stage, until: AbortSignal, show: () => void): Promise<void> {
  const { observer, crew, tally } = stage;
  while (!until.aborted) {
    const begin = performance.now();
    try {
      await observer.look();
      for (const { backend, client = 0 } of quarantined(stage)) {
        tally.quarantines.set(backend, begin - (crew.killed.get(client)?.killedAt ?? begin));
      }
    } catch (error) {
      tally.errors.push(error);
      return;
    }
    show();
    await pause(Math.max(10, FRAME - (performance.now() - begin)), until);
  }
}

/** Kills a child every so often; now and then one that is inside a long statement, which the server goes on with. */
async function kill(stage: Stage, until: AbortSignal): Promise<void> {
  if (stage.options.killEvery === 0) return;
  const sleepers: Promise<unknown>[] = [];
  for (let n = 1; ; n++) {
    await pause(stage.options.killEvery, until);
    if (until.aborted) break;
    if (n % IN_STATEMENT === 0) sleepers.push(killInStatement(stage, until));
    else stage.crew.killOne((member) => member.row !== undefined);
  }
  await Promise.all(sleepers);
}

async function killInStatement({ crew, observer, tally }: Stage, until: AbortSignal): Promise<void> {
  const { sleep } = await import('../sleep.ts');
  const handle = sleep.fork(60);
  const end = crew.follow('sleeps in the server', undefined, handle);
  const asleep = (): boolean =>
    observer.backends.some(
      ({ client, state, statement }) => client === handle.pid && state === 'active' && statement.includes('pg_sleep'),
    );
  while (!until.aborted && crew.living.has(handle.pid ?? 0) && !asleep()) await pause(FRAME / 2, until);
  crew.killOne((member) => member.handle === handle);
  await end.catch((error: unknown) => tally.errors.push(error));
}

/** Waits until the server has ended all connections of the programme's processes, those of the killed too. */
async function nobodyConnected({ observer, signal }: Stage): Promise<void> {
  const deadline = performance.now() + 10_000;
  // A look that has begun by now may still miss one; the one after it does not.
  const looks = observer.looks + 2;
  const settled = (): boolean =>
    observer.looks >= looks && observer.backends.every(({ client }) => client === undefined);
  while (!settled() && performance.now() < deadline && !signal.aborted) await pause(FRAME / 2, signal);
}
