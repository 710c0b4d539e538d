import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fifo, type FifoNode } from '../../../src/primitives/fifo.ts';

describe('Fifo', () => {
  it('behaves as an array from which any member may leave', () => {
    const step = fc.oneof(fc.constant('push' as const), fc.constant('shift' as const), fc.nat(20));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const queue = new Fifo<number>();
        const nodes: FifoNode<number>[] = [];
        let model: number[] = [];
        for (const one of steps) {
          if (one === 'push') {
            model.push(nodes.length);
            nodes.push(queue.push(nodes.length));
          } else if (one === 'shift') assert.equal(queue.shift(), model.shift());
          else if (nodes.length > 0) {
            const node = nodes[one % nodes.length] as FifoNode<number>;
            assert.equal(node.remove(), model.includes(node.value));
            model = model.filter((value) => value !== node.value);
          }
          assert.deepEqual([...queue], model);
          assert.equal(queue.size, model.length);
          assert.equal(queue.peek(), model[0]);
        }
      }),
    );
  });

  it('can be walked while members leave', () => {
    const queue = new Fifo<number>();
    const nodes = [1, 2, 3, 4].map((value) => queue.push(value));
    const seen: number[] = [];
    for (const value of queue) {
      seen.push(value);
      nodes[value - 1]?.remove();
      if (value === 2) nodes[2]?.remove();
    }
    assert.deepEqual(seen, [1, 2, 4]);
    assert.equal(queue.size, 0);
  });
});
