// Runs fault tests. After each of them it asserts by itself what must hold after every fault (A to G); a test says only
// what is special about its own.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresOptions, startPostgres, type TestServer } from '../servers.ts';
import { Lab, PATIENCE } from './lab.ts';
import { LEDGER_SQL } from './ledger.ts';
import type { Violation } from './violations.ts';

export type FaultTest = (lab: Lab) => Promise<void>;

/** Registers a fault test: by default it runs once, with `ATHANOR_FAULT_RUNS=20` twenty times. */
export type Fault = (title: string, body: FaultTest) => void;

const RUNS = Math.max(1, Number(process.env['ATHANOR_FAULT_RUNS'] ?? 1));
/** What must hold of a server that is restarted: nothing is flushed to disk, but what was acknowledged was written. */
const SETTINGS = { synchronous_commit: 'on' };

/** Sockets, timers and children that keep this process alive. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (/TCP|Pipe|Timeout|TLS|Process|Signal/.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

async function leaks(before: ReadonlyMap<string, number>, patience: number): Promise<Violation[]> {
  let left: string[] = [];
  for (const end = performance.now() + patience; performance.now() < end; ) {
    left = [...resources()].filter(([name, n]) => n > (before.get(name) ?? 0)).map(([name, n]) => `${n} ${name}`);
    if (left.length === 0) return [];
    await sleep(20);
  }
  return left.map((text) => ({ check: 'C', text: `left open in this process: ${text}` }));
}

/** What the process itself says went wrong while a test ran. */
class ProcessWatch {
  readonly violations: Violation[] = [];
  readonly #rejected = (reason: unknown): void => {
    this.violations.push({ check: 'D', text: `an unhandled rejection: ${String(reason)}` });
  };
  readonly #warned = (warning: Error & { readonly code?: string }): void => {
    // Athanor's own warnings are words to the user about his program or his server.
    if (warning.code?.startsWith('ATH_') !== true)
      this.violations.push({ check: 'D', text: `a process warning: ${String(warning)}` });
  };

  constructor() {
    process.on('unhandledRejection', this.#rejected);
    process.on('warning', this.#warned);
  }

  stop(): void {
    process.off('unhandledRejection', this.#rejected);
    process.off('warning', this.#warned);
  }
}

/** Runs one fault and gives what was violated, and the figures. The body's own failure comes through. */
export async function runFault(
  server: TestServer,
  body: FaultTest,
  patience: number = PATIENCE,
): Promise<{ readonly violations: readonly Violation[]; readonly figures: ReadonlyMap<string, readonly number[]> }> {
  const resourcesBefore = resources();
  const watch = new ProcessWatch();
  const lab = new Lab(server, patience);
  let failure: unknown;
  try {
    await body(lab);
  } catch (error) {
    failure = error;
  }
  try {
    await lab.check();
  } finally {
    await lab.close();
    watch.stop();
  }
  const violations = [...lab.violations, ...watch.violations, ...(await leaks(resourcesBefore, patience))];
  if (failure !== undefined) {
    const told = violations.map(({ check, text }) => `  ${check}: ${text}`).join('\n');
    if (told !== '' && failure instanceof Error) failure.message += `\nand afterwards:\n${told}`;
    throw failure;
  }
  return { violations, figures: lab.figures };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

/** A server for the tests of one file, and the way to write them. */
export function faultLaboratory(options: PostgresOptions = {}): Fault {
  let server: TestServer;
  before(async () => {
    server = await startPostgres({
      maxConnections: 60,
      ...options,
      settings: { ...SETTINGS, ...options.settings },
    });
    await server.query(LEDGER_SQL);
  });
  after(() => server.stop());
  return (title, body) => {
    test(title, { timeout: 220_000 * RUNS }, async (context) => {
      const figures = new Map<string, number[]>();
      for (let run = 0; run < RUNS; run += 1) {
        const result = await runFault(server, body);
        assert.deepEqual(
          result.violations.map(({ check, text }) => `${check}: ${text}`),
          [],
        );
        for (const [name, list] of result.figures) figures.set(name, [...(figures.get(name) ?? []), ...list]);
      }
      for (const [name, list] of figures) {
        const sorted = list.toSorted((a, b) => a - b);
        const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)].map((one) => one.toFixed(1));
        context.diagnostic(`${name}: p50 ${p50} ms, p99 ${p99} ms over ${sorted.length}`);
      }
    });
  };
}
