import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CallSite, callerLines } from '../../../src/primitives/call-site.ts';

function outer(): CallSite {
  return inner();
}
function inner(): CallSite {
  return new CallSite(inner, 3);
}

describe('CallSite', () => {
  it('is the first line below the function it is taken for, as text on demand', () => {
    const { stackTraceLimit } = Error;
    assert.match(outer().toString(), /^outer .*call-site\.test\.ts:\d+:\d+\)$/);
    assert.equal(Error.stackTraceLimit, stackTraceLimit);
  });

  it("leaves out the library's own lines and the runtime's", () => {
    const library = new URL('../../../src/pool/pool.ts', import.meta.url);
    const stack = [
      'Error: text at /home/me/not-a-line.ts',
      `    at acquire (${library.href}:1:1)`,
      `    at ${fileURLToPath(library)}:1:1`,
      '    at node:internal/process/task_queues:95:5',
      '    at async Module (node:internal/modules:1:1)',
      '    at async mine (/home/me/app.ts:3:4)',
      '    at <anonymous>',
    ].join('\n');
    assert.deepEqual(callerLines(stack), ['async mine (/home/me/app.ts:3:4)']);
    assert.deepEqual(callerLines(undefined), []);
  });
});
