// What every driver of PostgreSQL must do, whoever wrote it and whatever lies between it and the server: the contract of
// src/driver/driver.ts, case by case, on one way.
import { describe } from 'node:test';
import { absent, type Way, wayText } from '../ways.ts';
import { batchCases } from './batch-cases.ts';
import { cancelCases } from './cancel-cases.ts';
import type { Bench } from './contract-bench.ts';
import { openBench } from './contract-bench.ts';
import { copyCases } from './copy-cases.ts';
import { cursorCases } from './cursor-cases.ts';
import { endCases } from './end-cases.ts';
import { sessionCases } from './session-cases.ts';
import { valueCases } from './value-cases.ts';

const GROUPS: Readonly<Record<string, (bench: Bench) => void>> = {
  batches: batchCases,
  values: valueCases,
  cancel: cancelCases,
  session: sessionCases,
  cursors: cursorCases,
  COPY: copyCases,
  'the end': endCases,
};

/** Runs the whole suite on a way, or says why that way is not to be had. */
export function driverContract(way: Way): void {
  const skip = absent(way);
  describe(`the driver contract: ${wayText(way)}`, { skip }, () => {
    if (skip !== false) return;
    const bench = openBench(way);
    for (const [name, cases] of Object.entries(GROUPS)) describe(name, () => cases(bench));
  });
}
