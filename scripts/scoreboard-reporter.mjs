// A reporter of the full test run for the scoreboard: a line for every test or suite whose title carries marks, and a
// last line that says that the run came to its end.
import path from 'node:path';
import { root } from './setup/paths.mjs';

const MARK = /\[([FXTB]\d+)\]/g;

/** Yields `{ marks, name, file, outcome }` lines, then `{ complete: true }`. */
// oxlint-disable-next-line import/no-default-export -- the form that the test runner loads
export default async function* marked(source) {
  const stacks = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:summary' && data.file === undefined) yield `${JSON.stringify({ complete: true })}\n`;
    if (!/^test:(start|pass|fail)$/.test(type) || data.file === undefined) continue;
    const stack = stacks.get(data.file) ?? [];
    stacks.set(data.file, stack);
    if (type === 'test:start') begin(stack, data);
    else yield* end(stack, type, data);
  }
}

function begin(stack, { nesting, name }) {
  stack.length = nesting;
  stack.push({ name, skipped: false });
}

function* end(stack, type, { nesting, name, file, skip, todo }) {
  // What was skipped inside shows nothing, and neither does what holds it.
  const skipped = isSet(skip) || isSet(todo) || (stack[nesting]?.skipped ?? false);
  if (skipped && nesting > 0 && stack[nesting - 1] !== undefined) stack[nesting - 1].skipped = true;
  const marks = [...name.matchAll(MARK)].map((match) => match[1]);
  if (marks.length === 0) return;
  const names = [...stack.slice(0, nesting).map((one) => one.name), name];
  const outcome = type === 'test:fail' ? 'failed' : skipped ? 'skipped' : 'passed';
  const place = path.relative(root, file).split(path.sep).join('/');
  yield `${JSON.stringify({ marks, name: names.join(' > '), file: place, outcome })}\n`;
}

function isSet(flag) {
  return flag !== undefined && flag !== false;
}
