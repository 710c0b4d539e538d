// Imports go one way, from a layer to those below it, and never in a circle.
import { posix } from 'node:path';
import { type Layers, layerOf, type Violation } from '../layers.ts';
import type { Project, SourceFile } from '../project.ts';

/** Each import leads to an allowed layer, to Node, or to a package that is listed. */
export function checkLayers(project: Project, layers: Layers): Violation[] {
  return [...project.values()].flatMap((file) => {
    const own = layerOf(file.path);
    if (own !== undefined && allowedFrom(own, layers) === undefined) {
      return [{ rule: 'layers', path: file.path, message: `"${own}" is no layer of layers.json` }];
    }
    return file.imports.flatMap(({ specifier, line }) => {
      if (specifier === undefined) {
        return [{ rule: 'computed import', path: file.path, line, message: 'imports what only the run knows' }];
      }
      const message = importProblem(file, specifier, project, layers);
      return message === undefined ? [] : [{ rule: 'layers', path: file.path, line, message }];
    });
  });
}

function importProblem(file: SourceFile, specifier: string, project: Project, layers: Layers): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (!specifier.startsWith('.')) {
    return layers.packages.includes(specifier) ? undefined : `imports "${specifier}", and athanor has no dependencies`;
  }
  const target = targetOf(file.path, specifier);
  if (!project.has(target)) return `imports "${specifier}", which is no file of src`;
  const from = layerOf(file.path);
  const to = layerOf(target);
  if (from === undefined || from === to) return undefined;
  if (to === undefined) return `imports the root entry ${target}`;
  return allowedFrom(from, layers)?.includes(to) === true ? undefined : `"${from}" must not import "${to}" (${target})`;
}

function allowedFrom(layer: string, { layers }: Layers): readonly string[] | undefined {
  return layers[layer] ?? (layer.startsWith('dialects/') ? layers['dialects/*'] : undefined);
}

function targetOf(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

/** No file reaches itself over its imports, types included. */
export function checkCircles(project: Project): Violation[] {
  const targets = (path: string): string[] =>
    (project.get(path)?.imports ?? [])
      .map(({ specifier }) => targetOf(path, specifier ?? ''))
      .filter((target) => project.has(target));
  return circles([...project.keys()], targets).map((members) => ({
    rule: 'circles',
    path: members[0] ?? '',
    message: `imports itself over ${members.join(', ')}`,
  }));
}

/** Tarjan's strongly connected components, those that are circles: several members, or one that points to itself. */
function circles(nodes: readonly string[], targets: (node: string) => readonly string[]): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    stack.push(node);
    for (const target of targets(node)) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(target) ?? 0));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1 || targets(node).includes(node)) found.push(members);
  };
  for (const node of nodes) if (!order.has(node)) visit(node);
  return found;
}
