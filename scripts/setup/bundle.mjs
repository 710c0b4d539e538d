// Joins a package's modules into a few: node scripts/setup/bundle.mjs <package folder> <output folder>. Every process of
// a programme loads the library anew, and Node takes longer to find two hundred small files than to read a large one.

import path from 'node:path';
import { rolldown } from 'rolldown';
import { ENTRIES } from './entries.mjs';
import { root } from './paths.mjs';

const [folder, dir] = process.argv.slice(2);
const entries = ENTRIES[path.relative(root, folder)];
const bundle = await rolldown({
  cwd: folder,
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: (id) => !/^[./]/.test(id) && !path.isAbsolute(id),
  transform: { target: 'es2022' },
});
// The sources are published too: the maps need not hold them.
const { output } = await bundle.write({ dir, format: 'esm', sourcemap: true, sourcemapExcludeSources: true });
for (const { code = '', fileName } of output) refuseRenamedClasses(code, fileName);

/** Of two classes of one name in a file, one is renamed, and would show that name to users. */
function refuseRenamedClasses(code, fileName) {
  const renamed = /^(?:var|let|const) (\w+\$\d+) = class|^class (\w+\$\d+)/m.exec(code);
  if (renamed !== null) throw new TypeError(`${fileName}: two classes have one name (${renamed[1] ?? renamed[2]}).`);
}
