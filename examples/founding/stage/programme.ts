// The order of the evening: the acts, then the verdict. Whatever happens, the children are gone and the server is
// stopped when this returns.
import { line, type Screen, styled } from '@athanor/cli';
import { createEngine } from 'athanor';
import { type ActOne, actOne } from './act-one.ts';
import { actTwo, type Stage } from './act-two.ts';
import type { Crew } from './crew.ts';
import { Observer } from './observer.ts';
import type { Options } from './options.ts';
import { openServer } from './server.ts';
import { elapsedOf, Tally } from './tally.ts';
import { verdict, type VerdictLine } from './verdict.ts';

export interface Evening {
  readonly options: Options;
  readonly crew: Crew;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Plays it all; whether every line of the verdict is right. */
export async function run({ options, crew, screen, signal }: Evening): Promise<boolean> {
  const first = await playActOne({ options, crew, screen, signal });
  const server = await openServer(options, signal);
  // The one place that says a number. Every other engine, here and in the children, meets this budget by itself.
  const engine = createEngine(server.url, { budget: options.budget });
  try {
    process.env['DATABASE_URL'] = server.url;
    const stage: Stage = {
      options,
      server,
      crew,
      signal,
      observer: new Observer(server.observer, server.role),
      tally: new Tally(),
    };
    await actTwo(stage, screen);
    if (signal.aborted) return false;
    const lines = await verdict({ ...stage, budget: options.budget, role: server.role, logFile: server.logFile });
    if (options.json) process.stdout.write(`${JSON.stringify(report(stage, lines, first))}\n`);
    else showVerdict(screen, lines);
    return lines.every(({ right }) => right);
  } finally {
    crew.killAll();
    await engine.close();
    await server.stop();
  }
}

async function playActOne({ options, screen, signal }: Evening): Promise<ActOne | undefined> {
  if (!options.whole) return undefined;
  if (options.databaseUrl === undefined) {
    const sums = await actOne(options, screen, signal);
    screen.settle();
    return sums;
  }
  screen.print([line('Act 1 is left out: it would take the connections of your server from others.')]);
  return undefined;
}

function showVerdict(screen: Screen, lines: readonly VerdictLine[]): void {
  screen.print([line(), line(styled('bold', 'Verdict'), ', read back from the server')]);
  for (const { right, what, text, details } of lines) {
    screen.print([
      line(right ? styled('good', 'right') : styled('bad', 'WRONG'), `  ${what.padEnd(12)}  ${text}`),
      ...details.map((detail) => line(styled('bad', `         ${detail}`))),
    ]);
  }
  const all = lines.every(({ right }) => right);
  screen.print([line(), line(all ? styled('good', 'All of it held.') : styled('bad', 'It did not hold.'))]);
}

/** The outcome for machines. */
function report(
  { options, tally, crew, observer, server }: Stage,
  lines: readonly VerdictLine[],
  first: ActOne | undefined,
) {
  const { processes, budget, tls, killEvery, seed } = options;
  return {
    right: lines.every(({ right }) => right),
    options: { processes, budget, tls, killEvery, seed },
    server: server.title,
    usualWay: first,
    variants: tally.variants.map((variant) => {
      const { name, iterations, right, killed } = variant;
      const seconds = Math.round(elapsedOf(variant)) / 1000;
      return { name, iterations, right, killed, seconds, perSecond: Math.round((iterations / seconds) * 10) / 10 };
    }),
    sharedRow: tally.counts,
    refusals: tally.attempts.map(({ channel, refusal }) => ({ channel, code: refusal?.code })),
    killed: crew.killed.size,
    quarantine: {
      connections: tally.quarantines.size,
      longest: Math.round(Math.max(0, ...tally.quarantines.values())),
    },
    connections: { sampledPeak: observer.peak, looks: observer.looks },
    verdict: lines,
  };
}
