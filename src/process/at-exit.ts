// One listener for the end of the process, however many things want to hear of it. It is the `exit` event, which no
// process can be kept alive or ended by; signals are not touched.

const runs = new Set<() => void>();

/** Calls `run` when this process, or thread, ends in order. The result takes it back. `run` is synchronous and must not throw. */
export function atExit(run: () => void): () => void {
  if (runs.size === 0) process.on('exit', all);
  runs.add(run);
  return () => {
    runs.delete(run);
    if (runs.size === 0) process.off('exit', all);
  };
}

function all(): void {
  for (const run of runs) run();
}
