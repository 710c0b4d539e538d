// What the nightly sabotage damages is still there to be damaged, and has tests to notice it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fits, ROOT } from './checkout.ts';
import { SABOTAGES } from './table.ts';

test('every text of the table is in its file, exactly once', () => {
  const lost = SABOTAGES.filter((one) => !fits(one)).map(({ row, what, file }) => `${row} ${what}: ${file}`);
  assert.deepEqual(lost, []);
});

test('at least thirty rows of the scoreboard are sabotaged', () => {
  const known = readFileSync(path.join(ROOT, 'docs/features.json'), 'utf8');
  const rows = new Set(SABOTAGES.map(({ row }) => row));
  assert.ok(rows.size >= 30, String(rows.size));
  for (const row of rows) assert.ok(known.includes(`"number": "${row}"`), row);
});
