// A slice of `npm run fuzz`, with a seed that stays: what a server may say and what it may not, against the real
// connection code, with generated row decoders and without.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { campaign, type CampaignReport } from './campaign.ts';
import { makeConversation } from './conversation.ts';
import { play } from './play.ts';

const MESSAGES = 80_000;
const MEMORY = 64 << 20;

function judge(report: CampaignReport): void {
  assert.equal(report.failure, undefined, report.failure);
  assert.ok(report.growth <= MEMORY, `memory grew by ${report.growth}`);
  // It was worth something: batches came to both ends.
  assert.ok(report.succeeded > 500 && report.failed > 500, JSON.stringify(report));
}

test('[T25] messages changed with knowledge of the protocol end that connection, with an error, and nothing else', async () => {
  judge(await campaign({ messages: MESSAGES, seed: 1, step: 1 }));
});

test('[T25] so they do where code generation is forbidden', () => {
  const program = `import { campaign } from ${JSON.stringify(path.join(import.meta.dirname, 'campaign.ts'))};
    console.log(JSON.stringify(await campaign({ messages: ${MESSAGES}, seed: 500_001, step: 1 })));`;
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program];
  judge(JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' })) as CampaignReport);
});

test('a conversation nobody tampers with goes right to the letter', async () => {
  let succeeded = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const verdict = await play({ ...makeConversation(seed), mutations: [] });
    assert.equal(verdict.failure, undefined, `conversation ${seed}: ${verdict.failure}`);
    succeeded += verdict.succeeded;
  }
  assert.ok(succeeded > 500, String(succeeded));
});
