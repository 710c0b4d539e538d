// npm run fuzz -- [--messages 1000000] [--seed N] : conversations in two processes, one with generated row decoders and
// one where code generation is forbidden, then the branch coverage of a part of it. `--conversation N [--closures]`
// plays a single one again.
import path from 'node:path';
import { run } from 'node:test';
import { parseArgs } from 'node:util';
import { runPart, sayAt, sayReport } from '../part.ts';
import { campaign, type CampaignReport } from './campaign.ts';

const DEFAULT_MESSAGES = 1_000_000;
const MEMORY = 64 << 20;
/** Milliseconds one piece of what comes may keep the thread busy. */
const STALL = 50;
const COVERAGE = 90;
/** Garbage is collected early, so that what is resident is what is held. */
const SPARSE = ['--max-semi-space-size=4'];
const FORBIDDEN = '--disallow-code-generation-from-strings';

/** A part of a campaign in a process of its own. */
function part(options: { messages: number; seed: number; step: number; closures: boolean }): Promise<CampaignReport> {
  const { messages, seed, step, closures } = options;
  return runPart({
    program: import.meta.filename,
    args: ['--part', '--messages', String(messages), '--seed', String(seed), '--step', String(step)],
    flags: closures ? [...SPARSE, FORBIDDEN] : SPARSE,
    again: (at) => `in one of the conversations behind ${at}, every ${step}th${closures ? ', with --closures' : ''}`,
  });
}

function failures(report: CampaignReport): string[] {
  return [
    ...(report.failure === undefined ? [] : [report.failure]),
    ...(report.growth > MEMORY ? [`memory grew by ${megabytes(report.growth)}`] : []),
    ...(report.longest > STALL ? [`the event loop was held for ${report.longest.toFixed(1)} ms`] : []),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;

function say(name: string, report: CampaignReport): void {
  console.log(
    `${name}: ${report.messages} messages in ${report.conversations} conversations; ${report.succeeded} batches succeeded, ` +
      `${report.failed} failed; memory +${megabytes(report.growth)}; longest turn ${report.longest.toFixed(1)} ms`,
  );
}

interface Covered {
  readonly file: string;
  readonly total: number;
  readonly covered: number;
}

/** Files that read what a server says; the others of both folders write, or open sockets. */
const READERS =
  /wire\/(?!message-writer|parameter|statement-messages|certificate-hash)|driver\/(?:connection|operation|exchange|copy-exchange|copy-in|copy-out|portal|portal-cursor|pipeline|startup-frames|startup)\.ts/;

async function coverage(): Promise<Covered[]> {
  const folder = 'src/dialects/postgresql';
  const covered: Covered[] = [];
  const stream = run({
    files: [path.join(import.meta.dirname, 'fuzz.test.ts')],
    coverage: true,
    coverageIncludeGlobs: [`${folder}/wire/**`, `${folder}/driver/**`],
    cwd: path.resolve(import.meta.dirname, '../..'),
  });
  stream.on('test:coverage', ({ summary }) => {
    for (const file of summary.files) {
      const name = path.relative(path.resolve(import.meta.dirname, '../../src/dialects/postgresql'), file.path);
      covered.push({ file: name, total: file.totalBranchCount, covered: file.coveredBranchCount });
    }
  });
  for await (const _ of stream);
  return covered;
}

async function reportCoverage(): Promise<string[]> {
  const files = (await coverage()).filter(({ file }) => READERS.test(file));
  for (const { file, total, covered } of files) console.log(`  ${file.padEnd(32)} ${covered} of ${total} branches`);
  const total = files.reduce((sum, file) => sum + file.total, 0);
  const covered = files.reduce((sum, file) => sum + file.covered, 0);
  const percent = (covered / total) * 100;
  console.log(`branch coverage of the parser: ${percent.toFixed(1)} % (${covered} of ${total})`);
  return percent >= COVERAGE ? [] : [`branch coverage is below ${COVERAGE} %`];
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: String(DEFAULT_MESSAGES) },
    seed: { type: 'string' },
    step: { type: 'string', default: '1' },
    part: { type: 'boolean', default: false },
    conversation: { type: 'string' },
    closures: { type: 'boolean', default: false },
    'no-coverage': { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.conversation !== undefined) {
    const report = await part({ messages: 1, seed: Number(values.conversation), step: 1, closures: values.closures });
    console.log(report.failure ?? 'nothing is wrong with it');
    return report.failure === undefined ? 0 : 1;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const half = Math.ceil(Number(values.messages) / 2);
  console.log(`seed ${seed}`);
  const [generated, closures] = await Promise.all([
    part({ messages: half, seed, step: 2, closures: false }),
    part({ messages: half, seed: seed + 1, step: 2, closures: true }),
  ]);
  say('generated decoders', generated);
  say('closures', closures);
  const wrong = [
    ...failures(generated),
    ...failures(closures),
    ...(values['no-coverage'] ? [] : await reportCoverage()),
  ];
  for (const one of wrong) console.error(one);
  return wrong.length === 0 ? 0 : 1;
}

if (values.part) {
  const { messages, seed, step } = values;
  sayReport(await campaign({ messages: Number(messages), seed: Number(seed), step: Number(step), progress: sayAt }));
} else process.exitCode = await main();
