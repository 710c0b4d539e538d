// Interleaved measuring: a round runs each contestant once, in turn, and a workload's figure is the median over the
// rounds of the ratio within a round. Absolute times of a shared machine mean nothing; ratios within a run do.
import type { Bench, Contestant, Workload } from './workload.ts';

export interface Sample {
  /** Milliseconds on the clock. */
  readonly wall: number;
  /** Milliseconds of this process's CPU. */
  readonly cpu: number;
  readonly operations: number;
}

export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly operation: string;
  /** How many times faster than `pg`, by the clock: the median over the rounds. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Client CPU, microseconds an operation, median. */
  readonly cpu: { readonly athanor: number; readonly pg: number };
}

async function sample(contestant: Contestant): Promise<Sample> {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const operations = await contestant.run();
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { wall, cpu: (used.user + used.system) / 1000, operations };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs one workload for `rounds` rounds after one that is not counted. */
export async function measure(workload: Workload, bench: Bench, rounds: number): Promise<Figure> {
  const athanor = await workload.athanor(bench);
  const pg = await workload.pg(bench);
  try {
    await athanor.run();
    await pg.run();
    const pairs: { readonly athanor: Sample; readonly pg: Sample }[] = [];
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? ([athanor, pg] as const) : ([pg, athanor] as const);
      const first = await sample(order[0]);
      const second = await sample(order[1]);
      pairs.push(round % 2 === 0 ? { athanor: first, pg: second } : { athanor: second, pg: first });
    }
    const ratios = pairs.map(
      (pair) => pair.pg.wall / pair.pg.operations / (pair.athanor.wall / pair.athanor.operations),
    );
    const micros = (side: Sample): number => (side.cpu * 1000) / side.operations;
    return {
      name: workload.name,
      title: workload.title,
      operation: workload.operation,
      ratio: median(ratios),
      ratios,
      cpu: {
        athanor: median(pairs.map((pair) => micros(pair.athanor))),
        pg: median(pairs.map((pair) => micros(pair.pg))),
      },
    };
  } finally {
    await athanor.close();
    await pg.close();
  }
}
