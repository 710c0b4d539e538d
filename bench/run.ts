// npm run bench: athanor's public API against `pg` with named prepared statements, interleaved in one run.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startTemporary } from '@athanor/embedded';
import { createEngine, sessionmaker } from 'athanor';
import { cleanFlush, ENTITIES, fillItems } from './clean-flush.ts';
import { type Figure, measure } from './measure.ts';
import { Dummy, ITEMS, metadata } from './model.ts';
import type { Bench } from './workload.ts';
import { checkout } from './workloads/checkout.ts';
import { foundingLoop } from './workloads/founding-loop.ts';
import { insertMany } from './workloads/insert-many.ts';
import { pointRead } from './workloads/point-read.ts';
import { readMany } from './workloads/read-many.ts';

const WORKLOADS = [pointRead, readMany, insertMany, foundingLoop, checkout];
const HELP = `npm run bench -- [options]
  --only W1,W3     run these workloads only
  --rounds N       rounds of each, interleaved (default 9)
  --json FILE      write the figures to FILE
  --help           this text
`;

interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly json: string | undefined;
}

function options(): Options | string {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '9' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return HELP;
  const known = [...WORKLOADS.map((workload) => workload.name), 'flush'];
  const only = values.only === undefined ? known : values.only.split(',');
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new RangeError(`--only: no workload ${unknown}; there are ${known.join(', ')}`);
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds takes a whole number from 1, not ${values.rounds}`);
  return { only, rounds, json: values.json };
}

async function run({ only, rounds, json }: Options): Promise<void> {
  const server = await startTemporary({});
  const engine = createEngine(server.url, { budget: { scope: 'process' }, pool: { max: 4 } });
  const bench: Bench = { engine, url: server.url, ca: undefined };
  try {
    await metadata.createAll(engine);
    await fillItems(bench, 1, ITEMS);
    await sessionmaker({ bind: engine }).begin(async (session) =>
      session.addAll([new Dummy({ id: 1, value: 0 }), new Dummy({ id: 2, value: 0 })]),
    );
    const figures: Figure[] = [];
    process.stdout.write(
      `${rounds} rounds, interleaved; ratio = times faster than pg with named prepared statements, median of the rounds\n\n`,
    );
    process.stdout.write(
      `${'workload'.padEnd(46)}${'ratio'.padStart(7)}${'spread'.padStart(14)}   client CPU, us an operation (athanor / pg)\n`,
    );
    for (const workload of WORKLOADS.filter(({ name }) => only.includes(name))) {
      const figure = await measure(workload, bench, rounds);
      figures.push(figure);
      process.stdout.write(`${line(figure)}\n`);
    }
    let flush: number | undefined;
    if (only.includes('flush')) {
      await fillItems(bench, ITEMS + 1, ENTITIES);
      flush = await cleanFlush(bench, 21);
      process.stdout.write(
        `\nclean flush of ${ENTITIES.toLocaleString('en')} loaded entities of 8 columns, in load order: ${flush.toFixed(2)} ms\n`,
      );
    }
    if (json !== undefined)
      await writeFile(
        json,
        `${JSON.stringify({ node: process.version, rounds, figures, cleanFlushMs: flush }, null, 2)}\n`,
      );
  } finally {
    await engine.close();
    await server.stop();
  }
}

function line(figure: Figure): string {
  const spread = `${Math.min(...figure.ratios).toFixed(2)}-${Math.max(...figure.ratios).toFixed(2)}`;
  const cpu = `${figure.cpu.athanor.toFixed(2)} / ${figure.cpu.pg.toFixed(2)} a ${figure.operation}`;
  return `${`${figure.name}  ${figure.title}`.padEnd(46)}${figure.ratio.toFixed(2).padStart(7)}${spread.padStart(14)}   ${cpu}`;
}

try {
  const chosen = options();
  if (typeof chosen === 'string') process.stdout.write(chosen);
  else await run(chosen);
} catch (error) {
  if (!(error instanceof RangeError || (error instanceof TypeError && 'code' in error))) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
