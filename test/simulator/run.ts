// npm run simulate -- [--schedules 100000] [--seed N] : random programs against the real pool and engine in virtual
// time. `--schedule N` runs a single one again; `--planted` shows that bugs planted on purpose are found.
import { parseArgs } from 'node:util';
import { runPart, sayAt, sayReport } from '../part.ts';
import { type SimulationCampaign, simulations } from './campaign.ts';
import { plant, PLANTED, unplantable } from './planted.ts';
import { makeSchedule } from './schedule.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    step: { type: 'string', default: '1' },
    schedule: { type: 'string' },
    part: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
  },
});

function part(schedules: number, seed: number): Promise<SimulationCampaign> {
  return runPart({
    program: import.meta.filename,
    args: ['--part', '--schedules', String(schedules), '--seed', String(seed), '--step', '2'],
    again: (at) => `in one of the schedules behind ${at}, every second`,
  });
}

async function many(): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
  const half = Math.ceil(Number(values.schedules) / 2);
  console.log(`seed ${seed}`);
  const start = performance.now();
  const parts = await Promise.all([part(half, seed), part(half, seed + 1)]);
  const sum = (of: (one: SimulationCampaign) => number): number => parts.reduce((total, one) => total + of(one), 0);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `${sum((one) => one.schedules)} schedules, ${sum((one) => one.steps)} steps, ${sum((one) => one.committed)} rows committed, ${seconds} s`,
  );
  for (const name of Object.keys(parts[0]?.happened ?? {}).sort())
    console.log(`  ${name.padEnd(30)} ${sum((one) => one.happened[name] ?? 0)}`);
  const failures = parts.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  for (const { seed: at, what } of failures)
    console.error(`schedule ${at}: ${what}\n  again: npm run simulate -- --schedule ${at}`);
  return failures.length === 0 ? 0 : 1;
}

async function planted(): Promise<number> {
  let missed = unplantable().length;
  for (const what of unplantable()) console.error(`its text is not there once: ${what}`);
  for (const bug of PLANTED) {
    const { failure, schedules } = await plant(bug);
    if (failure === undefined) missed += 1;
    const found =
      failure === undefined
        ? `NOT FOUND in ${schedules}`
        : `found in schedule ${schedules}: ${failure.what.split('\n', 1)[0]}`;
    console.log(`${bug.what}\n    ${found}`);
  }
  return missed === 0 ? 0 : 1;
}

async function one(seed: number): Promise<number> {
  const schedule = makeSchedule(seed);
  console.log(schedule);
  const { failure, steps } = await simulate(schedule);
  console.log(failure ?? `nothing is wrong with it: ${steps} steps`);
  return failure === undefined ? 0 : 1;
}

if (values.part) {
  const { schedules, seed, step } = values;
  sayReport(
    await simulations({ schedules: Number(schedules), seed: Number(seed), step: Number(step), progress: sayAt }),
  );
} else if (values.schedule !== undefined) process.exitCode = await one(Number(values.schedule));
else process.exitCode = await (values.planted ? planted() : many());
