// Runs a program to its end, with its output shown or collected.

import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

/** Runs with our own output streams. Gives the exit code; a signal counts as the shell counts it. */
export function runShown(file, parameters, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, parameters, { cwd: root, stdio: 'inherit', ...options });
    const forward = forwardSignals(child);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      forward.end();
      resolve(code ?? 128 + (signalNumbers[signal] ?? 0));
    });
  });
}

/** Runs silently. Gives the exit code and everything that was written. */
export function runCollected(file, parameters, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, parameters, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8').trim() }));
  });
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };

/** A terminal sends its interrupt to the child itself; everything else has to be passed on. */
function forwardSignals(child) {
  const passers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const pass = () => {
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    };
    process.on(signal, pass);
    return () => process.off(signal, pass);
  });
  return { end: () => passers.forEach((off) => off()) };
}
