// A program that holds an embedded server: it says where the server is and stays until its input ends.

import { EmbeddedError, start, type StartOptions } from '../../../packages/embedded/src/index.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as StartOptions;
try {
  const server = await start(options);
  process.stdout.write(`${JSON.stringify({ pid: server.pid, port: server.port, url: server.url })}\n`);
} catch (error) {
  const said = error instanceof EmbeddedError ? error.toJSON() : { code: 'unknown', message: String(error) };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.stdin.resume();
