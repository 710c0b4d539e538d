// All rules over one project.
import type { Layers, Violation } from '../layers.ts';
import type { Project } from '../project.ts';
import { checkConstructs } from './constructs.ts';
import { checkCircles, checkLayers } from './imports.ts';
import { checkDialectNames, checkNames } from './names.ts';
import { checkFolders, checkSizes } from './sizes.ts';

/** Every rule. A project without files violates them all: a check that saw nothing says nothing. */
export function checkProject(project: Project, layers: Layers): Violation[] {
  if (project.size === 0) return [{ rule: 'files', path: 'src', message: 'no files were found' }];
  return [
    ...checkPresence(project, layers),
    ...checkLayers(project, layers),
    ...checkDialectNames(project),
    ...checkStyle(project),
  ];
}

/** The rules that need no layers. */
export function checkStyle(project: Project): Violation[] {
  if (project.size === 0) return [{ rule: 'files', path: 'src', message: 'no files were found' }];
  return [
    ...checkCircles(project),
    ...checkSizes(project),
    ...checkFolders(project),
    ...checkNames(project),
    ...checkConstructs(project),
  ];
}

/** A layer without files was moved or misspelt, and its rule would hold for nothing. */
function checkPresence(project: Project, { layers }: Layers): Violation[] {
  const paths = [...project.keys()];
  return Object.keys(layers)
    .filter((layer) => !paths.some((path) => path.startsWith(`src/${layer.replace('*', '')}`)))
    .map((layer) => ({ rule: 'files', path: `src/${layer}`, message: 'the layer has no files' }));
}
