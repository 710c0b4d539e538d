// Preloaded into every test process (`--import`) by the full test run: writes down which database each running test
// really reached, as the drivers announce it. A child process or worker that a test starts inherits this file through
// its execArgv and reports for the test that started it.
import { appendFileSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { afterEach, beforeEach, type SuiteContext, type TestContext } from 'node:test';
import { isMainThread, threadId } from 'node:worker_threads';

/** The folder to write to; without it nothing is recorded. */
const FOLDER = process.env['ATHANOR_REACH'];
/** Set in the test process, and so seen by everything it starts: the full name of the test that runs. */
const CURRENT = 'ATHANOR_REACH_TEST';

const running = new Set<string>();
const written = new Set<string>();

function record(message: unknown, test: string | undefined): void {
  const { database, version } = message as { readonly database: string; readonly version?: string };
  // A server that is only acted does not say its version.
  if (test === undefined || test === '' || version === undefined) return;
  const line = `${JSON.stringify({ test, database, version })}\n`;
  if (written.has(line)) return;
  written.add(line);
  // At once: a child may be killed the next moment.
  appendFileSync(join(FOLDER ?? '', `${process.pid}-${threadId}.jsonl`), line);
}

/** The innermost test that all running ones belong to: of two that run side by side neither can be told. */
function runningTest(): string {
  const byDepth = [...running].sort((a, b) => b.length - a.length);
  return byDepth.find((one) => byDepth.every((other) => related(one, other))) ?? '';
}

function related(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other} > `) || other.startsWith(`${one} > `);
}

function watchTests(): void {
  const change = (context: TestContext | SuiteContext, begins: boolean): void => {
    const name = 'fullName' in context ? context.fullName : context.name;
    if (begins) running.add(name);
    else running.delete(name);
    process.env[CURRENT] = runningTest();
  };
  process.env[CURRENT] = '';
  beforeEach((context) => change(context, true));
  afterEach((context) => change(context, false));
}

if (FOLDER !== undefined) {
  // Hooks belong to the process that the runner started; in its children they would start a run of their own.
  const inherits = process.env[CURRENT] !== undefined || !isMainThread;
  if (!inherits && process.env['NODE_TEST_CONTEXT'] !== undefined) watchTests();
  subscribe('athanor:driver:submit', (message) => record(message, process.env[CURRENT]));
}
