// npm run sabotage [-- F024 B25] : switches features off one at a time in a copy of the checkout, and runs the tests that
// carry the row's mark, which must fail. Those of the checkout as it is must pass, or their failing means nothing.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Checkout, fits } from './checkout.ts';
import { type Sabotage, SABOTAGES } from './table.ts';

/** Milliseconds the tests of one row may take. */
const LIMIT = 180_000;

type Outcome = 'passed' | 'failed' | 'hung' | 'nothing ran';

/** Test files that carry a mark, or import what carries it. */
function marked(root: string, mark: string): string[] {
  const files = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const texts = new Map(files.map((file) => [file, readFileSync(path.join(root, 'test', file), 'utf8')]));
  const found = new Set(files.filter((file) => !file.startsWith('sabotage') && texts.get(file)?.includes(`[${mark}]`)));
  for (const file of found) {
    if (file.endsWith('.test.ts')) continue;
    for (const [other, text] of texts) if (text.includes(`/${path.basename(file)}'`)) found.add(other);
  }
  return [...found].filter((file) => file.endsWith('.test.ts')).map((file) => path.join('test', file));
}

function runTests(root: string, mark: string): Promise<Outcome> {
  const files = marked(root, mark);
  if (files.length === 0) return Promise.resolve('nothing ran');
  return new Promise((resolve) => {
    const pattern = `--test-name-pattern=\\[${mark}\\]`;
    const child = spawn(
      process.execPath,
      ['--test', '--test-reporter=tap', '--test-timeout=60000', pattern, ...files],
      { cwd: root, detached: true },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.resume();
    // What it started goes with it.
    const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), LIMIT);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== null) resolve('hung');
      else if (code !== 0) resolve('failed');
      else resolve(/^# pass [1-9]/m.test(output) ? 'passed' : 'nothing ran');
    });
  });
}

interface Finding {
  readonly sabotage: Sabotage;
  readonly verdict: string;
  readonly good: boolean;
}

async function judge(checkout: Checkout, sabotage: Sabotage): Promise<Finding> {
  if (!fits(sabotage)) return { sabotage, verdict: 'its text is not in the file once', good: false };
  const sound = await runTests(checkout.root, sabotage.row);
  if (sound !== 'passed')
    return {
      sabotage,
      verdict: `its tests ${sound === 'nothing ran' ? 'do not run' : `are ${sound} as it is`}`,
      good: false,
    };
  const repair = checkout.damage(sabotage);
  const outcome = await runTests(checkout.root, sabotage.row);
  repair();
  const good = outcome === 'failed' || outcome === 'hung';
  return { sabotage, verdict: good ? 'noticed' : 'SURVIVED', good };
}

const wanted = process.argv.slice(2);
const chosen = SABOTAGES.filter(({ row }) => wanted.length === 0 || wanted.includes(row));
const checkout = new Checkout();
const findings: Finding[] = [];
try {
  for (const sabotage of chosen) {
    const start = performance.now();
    const finding = await judge(checkout, sabotage);
    findings.push(finding);
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    console.log(`${sabotage.row.padEnd(5)} ${finding.verdict.padEnd(10)} ${seconds} s  ${sabotage.what}`);
  }
} finally {
  checkout.remove();
}
const noticed = findings.filter(({ good }) => good).length;
console.log(`\n${noticed} of ${findings.length} noticed`);
process.exitCode = noticed === findings.length ? 0 : 1;
