// Reads what the last full test run left behind and writes the scoreboard, or with `--check` compares it with what is
// committed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderJson, renderMarkdown } from './render.ts';
import {
  type Feature,
  lost,
  type Outcome,
  type Reach,
  type Scoreboard,
  score,
  unknownMarks,
  withoutDatabase,
} from './score.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUN = join(ROOT, '.cache', 'scoreboard');
const JSON_FILE = join(ROOT, 'docs', 'scoreboard.json');
const MARKDOWN_FILE = join(ROOT, 'docs', 'scoreboard.md');

function lines(file: string): unknown[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

function readOutcomes(): Outcome[] | undefined {
  const read = lines(join(RUN, 'tests.jsonl')) as (Outcome | { readonly complete: true })[];
  const complete = read.some((line) => 'complete' in line);
  return complete ? read.filter((line) => 'marks' in line) : undefined;
}

function readReached(): Reach[] {
  const folder = join(RUN, 'reach');
  return readdirSync(folder).flatMap((name) => lines(join(folder, name)) as Reach[]);
}

function say(problem: string): void {
  process.stderr.write(`scoreboard: ${problem}\n`);
  process.exitCode = 1;
}

function sayOf(problem: string, rows: readonly string[]): void {
  if (rows.length > 0) say(`${problem}: ${rows.join(', ')}`);
}

function compare(texts: readonly (readonly [string, string])[]): void {
  for (const [file, text] of texts) {
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (committed !== text)
      say(`${file.slice(ROOT.length)} is not what this run gives; run npm run scoreboard and commit it.`);
  }
}

function main(options: ReadonlySet<string>): void {
  const features = JSON.parse(readFileSync(join(ROOT, 'docs', 'features.json'), 'utf8')) as Feature[];
  const outcomes = readOutcomes();
  if (outcomes === undefined) return say('there is no complete test run to read; run npm test first.');
  const board = score(features, outcomes, readReached());
  const before = existsSync(JSON_FILE) ? (JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Scoreboard) : {};
  sayOf('titles carry marks that no row has', unknownMarks(features, outcomes));
  sayOf('marked, but no test of theirs reached a database', withoutDatabase(features, outcomes, board));
  const gone = options.has('--accept-loss') ? [] : lost(before, board);
  sayOf('was proven and is no more', gone);
  const texts = [
    [MARKDOWN_FILE, renderMarkdown(features, board)],
    [JSON_FILE, renderJson(board)],
  ] as const;
  if (options.has('--check')) compare(texts);
  else if (gone.length === 0) for (const [file, text] of texts) writeFileSync(file, text);
  const proven = Object.values(board).filter(({ state }) => state === 'proven').length;
  process.stdout.write(`${proven} of ${features.length} rows proven\n`);
}

main(new Set(process.argv.slice(2)));
