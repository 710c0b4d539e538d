// What `npm start` runs: the founding programme on a real server, in two acts, and the verdict. Everything a reader
// wants to know of the library is in the variants beside this file; this one and ./stage only play and watch them.
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { openScreen, printable, type Screen } from '@athanor/cli';
import { Crew } from './stage/crew.ts';
import { HELP, type Options, readOptions, WrongUse } from './stage/options.ts';
import { run } from './stage/programme.ts';

// What the children load is compiled once, not once for each of them.
enableCompileCache();
process.env['NODE_COMPILE_CACHE'] ??= getCompileCacheDir();

async function main(): Promise<number> {
  let options: Options | undefined;
  try {
    options = readOptions(process.argv.slice(2), process.env);
  } catch (error) {
    return refuse(error);
  }
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = new AbortController();
  const crew = new Crew(options.seed);
  const interrupt = (): void => {
    // The second time, nothing is waited for; the server ends by itself once nobody holds it.
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
    crew.killAll();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // Whoever read the output has gone: `npm start | head`.
  process.stdout.once('error', interrupt);
  process.stdout.on('error', () => undefined);
  const screen = screenFor(options);
  try {
    const right = await run({ options, crew, screen, signal: interrupted.signal });
    return interrupted.signal.aborted ? 130 : right ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    screen.close();
    return refuse(error);
  } finally {
    screen.close();
  }
}

/** With --json nothing is shown until the end. */
function screenFor({ json, color }: Options): Screen {
  if (!json) return openScreen({ color });
  return openScreen({ stream: { write: () => true }, color: false });
}

/** One line, whatever it was; the stack only for what cannot be the user's doing, and only if asked for. */
function refuse(error: unknown): number {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof WrongUse) && process.env['ATHANOR_DEBUG'] !== undefined) console.error(error);
  else process.stderr.write(`founding: ${printable(text.split('\n')[0] ?? '')}\n`);
  return 1;
}

process.exitCode = await main();
