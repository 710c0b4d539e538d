// npm leaves optional packages of other platforms out of the lock file when it cannot see them at the time of writing,
// and `npm ci` then refuses the file. This adds their entries from the names; run it after a change of dependencies.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './setup/paths.mjs';

const file = path.join(root, 'package-lock.json');
const systems = { windows: 'win32', win: 'win32', mac: 'darwin' };
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'wasm32'];

const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || !/^\d/.test(version)) continue;
    lock.packages[key] = { version, ...platformOf(name), dev: entry.dev === true, optional: true };
    if (entry.dev !== true) delete lock.packages[key].dev;
    added.push(key);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
process.stdout.write(`${added.length} entries added\n`);

/** The platform that a package's name ends with, as `binding-linux-x64-musl` does. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const system = words.find((word) => /^(linux|darwin|windows|win32|win|android|freebsd|openharmony)$/.test(word));
  const processor = processors.find((one) => words.some((word) => word === one || word.startsWith(`${one}-`)));
  // WebAssembly is a processor to npm, of no system.
  if (processor === 'wasm32') return { cpu: [processor] };
  if (system === undefined || processor === undefined) throw new TypeError(`no platform in ${name}`);
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
  return { cpu: [processor], os: [systems[system] ?? system], ...(libc === undefined ? {} : { libc }) };
}
