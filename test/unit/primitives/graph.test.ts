import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Graph, layers, orderedComponents, strongComponents } from '../../../src/primitives/graph.ts';

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 0, max: 12 }).chain((size) =>
  fc
    .array(fc.tuple(fc.nat(Math.max(0, size - 1)), fc.nat(Math.max(0, size - 1))), { maxLength: size * 2 })
    .map((pairs) => {
      const edges = Array.from({ length: size }, () => new Set<number>());
      for (const [from, to] of pairs) edges[from]?.add(to);
      return { size, edges };
    }),
);

function reaches({ size, edges }: Graph, from: number, to: number): boolean {
  const seen = new Set<number>();
  const open = [from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of edges[node] ?? []) {
      if (next === to) return true;
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return size < 0;
}

describe('graphs', () => {
  it('gather nodes that reach each other, and no others', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const components = strongComponents(graph);
        const home = new Map(components.flatMap((nodes, at) => nodes.map((node) => [node, at] as const)));
        assert.equal(home.size, graph.size);
        for (let a = 0; a < graph.size; a++) {
          for (let b = 0; b < graph.size; b++) {
            const together = a === b || (reaches(graph, a, b) && reaches(graph, b, a));
            assert.equal(home.get(a) === home.get(b), together);
          }
        }
      }),
    );
  });
  it('order components so that every edge goes forward', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const place = new Map(
          orderedComponents(graph).flatMap((nodes, at) => nodes.map((node) => [node, at] as const)),
        );
        graph.edges.forEach((targets, from) => {
          for (const to of targets) assert.ok((place.get(from) ?? 0) <= (place.get(to) ?? 0));
        });
      }),
    );
  });
  it('put nodes into layers behind what they depend on; circles and what waits for them are stuck', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const found = layers(graph);
        const layer = new Map(found.layers.flatMap((nodes, at) => nodes.map((node) => [node, at] as const)));
        assert.equal(layer.size + found.stuck.length, graph.size);
        graph.edges.forEach((targets, from) => {
          for (const to of targets) {
            if (layer.has(to)) assert.ok((layer.get(from) ?? Number.POSITIVE_INFINITY) < (layer.get(to) ?? 0));
          }
        });
        for (const node of found.stuck) {
          const circular = Array.from({ length: graph.size }, (_, other) => other).some(
            (other) => reaches(graph, other, other) && (other === node || reaches(graph, other, node)),
          );
          assert.ok(circular);
        }
      }),
    );
  });
  it('bear chains longer than the call stack is deep', () => {
    const size = 100_000;
    const edges = Array.from({ length: size }, (_, node) => new Set(node + 1 < size ? [node + 1] : []));
    assert.equal(strongComponents({ size, edges }).length, size);
    assert.equal(layers({ size, edges }).layers.length, size);
  });
});
