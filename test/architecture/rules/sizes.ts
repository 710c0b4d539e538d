// Sizes count lines with code on them, so that comments are never punished.
import { posix } from 'node:path';
import type { Violation } from '../layers.ts';
import type { Project, SourceFile } from '../project.ts';

export const LIMITS = Object.freeze({
  fileLines: 500,
  functionLines: 80,
  parameters: 3,
  publicMembers: 25,
  folderFiles: 25,
  /** Folders below `src`. */
  depth: 2,
});

/** The only places that may be a folder deeper: a dialect's drivers and its wire format. */
const DEEPER = /^src\/dialects\/[^/]+\/(?:driver|wire|pg-adapter)\//;

export function checkSizes(project: Project): Violation[] {
  return [...project.values()].flatMap((file) => [...checkFile(file), ...checkFunctions(file), ...checkClasses(file)]);
}

function checkFile({ path, codeLines }: SourceFile): Violation[] {
  return codeLines <= LIMITS.fileLines
    ? []
    : [over({ rule: 'file size', path }, codeLines, 'lines of code', LIMITS.fileLines)];
}

function checkFunctions({ path, functions }: SourceFile): Violation[] {
  return functions.flatMap(({ name, line, codeLines, parameters }) => [
    ...(codeLines <= LIMITS.functionLines
      ? []
      : [over({ rule: 'function size', path, line }, codeLines, `lines of code in ${name}`, LIMITS.functionLines)]),
    ...(parameters <= LIMITS.parameters
      ? []
      : [over({ rule: 'parameters', path, line }, parameters, `parameters of ${name}`, LIMITS.parameters)]),
  ]);
}

function checkClasses({ path, classes }: SourceFile): Violation[] {
  return classes
    .filter(({ publicMembers }) => publicMembers > LIMITS.publicMembers)
    .map(({ name, line, publicMembers }) =>
      over({ rule: 'class size', path, line }, publicMembers, `public members of ${name}`, LIMITS.publicMembers),
    );
}

/** How many files a folder holds and how deep it lies. */
export function checkFolders(project: Project): Violation[] {
  const counts = new Map<string, number>();
  for (const path of project.keys()) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1);
  const crowded = [...counts]
    .filter(([, count]) => count > LIMITS.folderFiles)
    .map(([path, count]) => over({ rule: 'folder size', path }, count, 'files', LIMITS.folderFiles));
  const deep = [...project.keys()].filter((path) => foldersOf(path) > LIMITS.depth + (DEEPER.test(path) ? 1 : 0));
  return [
    ...crowded,
    ...deep.map((path) => over({ rule: 'depth', path }, foldersOf(path), 'folders below src', LIMITS.depth)),
  ];
}

function foldersOf(path: string): number {
  return path.split('/').length - 2;
}

function over(
  where: { rule: string; path: string; line?: number },
  count: number,
  what: string,
  limit: number,
): Violation {
  return { ...where, message: `${count} ${what}, at most ${limit}` };
}
