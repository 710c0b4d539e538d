// Whether it all held, line by line, each from the place that knows best: rows and counters from the server's tables,
// connections and errors from the server's own log. Nothing here asks athanor how it went.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConnectionLog } from './connection-log.ts';
import type { Crew } from './crew.ts';
import { LogCheck } from './log-check.ts';
import { clientOf, type Observer } from './observer.ts';
import { type LogEntry, parseLogLine } from './server-log.ts';
import type { Tally } from './tally.ts';

export interface VerdictLine {
  readonly right: boolean;
  readonly what: string;
  readonly text: string;
  /** At most a few examples of what is wrong. */
  readonly details: readonly string[];
}

export interface Evidence {
  readonly tally: Tally;
  readonly crew: Crew;
  readonly observer: Observer;
  readonly budget: number;
  readonly role: string;
  readonly logFile: string | undefined;
}

const FEW = 5;

/** Reads everything back from the server and judges it. */
export async function verdict(evidence: Evidence): Promise<VerdictLine[]> {
  const { tally, crew } = evidence;
  const lines: VerdictLine[] = [];
  if (tally.variants.length > 0) lines.push(await rowsLine(evidence));
  if (tally.counts.length > 0) lines.push(countersLine(tally));
  if (tally.attempts.length > 0) lines.push(crossingLine(tally));
  lines.push(
    ...(evidence.logFile === undefined ? [sampledLine(evidence)] : await logLines(evidence, evidence.logFile)),
  );
  lines.push({
    right: tally.errors.length === 0,
    what: 'errors',
    text: `${tally.errors.length}; children killed on purpose: ${crew.killed.size}`,
    details: tally.errors.slice(0, FEW).map(String),
  });
  return lines;
}

async function rowsLine({ tally, observer }: Evidence): Promise<VerdictLine> {
  const wrong = tally.wrongRows(await observer.values());
  const killed = tally.variants.reduce((sum, variant) => sum + variant.killed, 0);
  const right = wrong.length === 0 && tally.right === tally.iterations && tally.iterations > 0;
  const text = `${tally.iterations - wrong.length} of ${tally.iterations} right on the server, as ${tally.right} were read by the main process (${killed} with a killed child)`;
  return { right, what: 'rows', text, details: wrong.slice(0, FEW) };
}

function countersLine({ counts }: Tally): VerdictLine {
  const lost = counts.reduce((sum, { expected, value }) => sum + Math.abs(expected - value), 0);
  const text = `${lost}; the shared row: ${counts.map(({ way, value, expected }) => `${value} of ${expected} by ${way}`).join(', ')}`;
  return { right: lost === 0, what: 'lost updates', text, details: [] };
}

function crossingLine({ attempts }: Tally): VerdictLine {
  const through = attempts.filter(({ refusal }) => refusal === undefined);
  const text = `a session was refused on ${attempts.length - through.length} of ${attempts.length} channels, in the sender`;
  return { right: through.length === 0, what: 'crossing', text, details: through.map(({ channel }) => channel) };
}

function sampledLine({ observer, budget }: Evidence): VerdictLine {
  const text = `at most ${observer.peak} at ${observer.looks} looks at pg_stat_activity, budget ${budget} (sampled: a peak between two looks is not seen)`;
  return { right: observer.peak <= budget, what: 'connections', text, details: [] };
}

async function logLines({ crew, observer, budget, role }: Evidence, logFile: string): Promise<VerdictLine[]> {
  const connections = new ConnectionLog(role);
  const backends = new KilledBackends(crew);
  const check = new LogCheck({ ofKilled: (entry) => backends.has(entry) });
  let read = 0;
  for await (const line of createInterface({ input: createReadStream(logFile) })) {
    read++;
    const entry = parseLogLine(line);
    if (entry !== undefined) {
      connections.read(entry);
      backends.read(entry);
    }
    check.read(line);
  }
  const { peak, open, connections: total } = connections.replay();
  // The broker keeps one of the budget for itself, to ask the server with.
  const left = open - observer.backends.filter(({ client }) => client === undefined).length;
  return [
    {
      right: peak <= budget && left === 0 && total > 0,
      what: 'connections',
      text: `at most ${peak} of ${budget} at any time, replayed from the log of all ${total}; ${left} left open`,
      details: [],
    },
    {
      right: check.findings.length === 0 && read > 0,
      what: 'server log',
      text: `${check.findings.length} of ${read} lines should not be there`,
      details: check.findings.slice(0, FEW),
    },
  ];
}

/** Which backends served a child that was killed. */
class KilledBackends {
  readonly #crew: Crew;
  /** Backends that have been accepted and not let in yet: whose they are, nobody has said. */
  readonly #nameless = new Set<number>();

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  read({ pid, message }: LogEntry): void {
    if (message.startsWith('connection received:')) this.#nameless.add(pid);
    else if (message.startsWith('connection authorized:')) this.#nameless.delete(pid);
  }

  has({ application, pid, time }: LogEntry): boolean {
    const client = clientOf(application);
    if (client !== undefined) return this.#crew.killed.has(client);
    // Killed while it was connecting: the log has no name for it, only the moment.
    return this.#nameless.has(pid) && this.#crew.killedNear(time);
  }
}
