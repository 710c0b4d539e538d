// What is refused wherever it stands: default exports, bare errors, `export *` outside an index, console, top-level
// await, and what type stripping cannot run.
import type { Violation } from '../layers.ts';
import type { Project } from '../project.ts';

export function checkConstructs(project: Project): Violation[] {
  return [...project.values()].flatMap(({ path, refused }) =>
    refused
      .filter(({ what }) => !(what === 'export *' && path.endsWith('/index.ts')))
      .map(({ what, line }) => ({ rule: what, path, line, message: `has a ${what}` })),
  );
}
