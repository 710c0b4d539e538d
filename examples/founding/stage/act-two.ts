// Act 2: the same kind of work with athanor. The variants take their turns, so many children at a time, while a hand
// kills one of them now and then and an observer of its own watches the server.
import { type Screen, styled, line } from '@athanor/cli';
import type { Iteration, Row } from '../iteration.ts';
import { actTwoView } from './act-two-view.ts';
import type { Crew, RunningChild } from './crew.ts';
import type { Observer } from './observer.ts';
import type { Options, VariantName } from './options.ts';
import type { Server } from './server.ts';
import type { Tally, VariantTally } from './tally.ts';
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

/** A variant's share of the time where no number of iterations is asked for, in milliseconds. */
const SHARE = 5000;
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
  const over = new AbortController();
  const until = AbortSignal.any([stage.signal, over.signal]);
  const asides = [watch(stage, until, () => screen.update(actTwoView(stage, begin)))];
  if (stage.options.killEvery > 0) asides.push(kill(stage, until));
  try {
    for (const name of stage.options.variants) await play(stage, name);
    over.abort();
    if (stage.options.whole) await count(stage);
    if (stage.options.whole || stage.options.brokenOnly) await tryToCross(stage);
  } finally {
    over.abort();
    await Promise.all(asides);
    screen.update(actTwoView(stage, begin));
  }
}

/** One variant's turn. */
async function play(stage: Stage, name: VariantName): Promise<void> {
  const { options, tally } = stage;
  if (stage.signal.aborted) return;
  const variant = tally.variant(name);
  const begin = performance.now();
  const holding = HOLDING.has(name);
  const rows = holding ? options.processes : 1;
  const lanes = Array.from({ length: holding ? 1 : options.processes }, (_, lane) => lane);
  let started = 0;
  /** How many rows the next iteration has; none when it is over. */
  const next = (): number => {
    variant.elapsed = performance.now() - begin;
    if (stage.signal.aborted || tally.errors.length >= ENOUGH_ERRORS) return 0;
    const left = options.iterations === undefined ? (variant.elapsed < SHARE ? rows : 0) : options.iterations - started;
    const claimed = Math.min(rows, left);
    started += claimed;
    return claimed;
  };
  await Promise.all(lanes.map((lane) => playLane(stage, { variant, name, lane, next })));
  variant.elapsed = performance.now() - begin;
  variant.running = false;
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

/** Looks at the server again and again, and shows what it saw. */
async function watch({ observer, signal: _signal, tally }: Stage, until: AbortSignal, show: () => void): Promise<void> {
  while (!until.aborted) {
    const begin = performance.now();
    try {
      await observer.look();
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
