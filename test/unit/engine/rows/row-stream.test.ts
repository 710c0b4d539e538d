import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { distinctRows } from '../../../../src/engine/rows/distinct-rows.ts';
import { type Paging, RowStream } from '../../../../src/engine/rows/row-stream.ts';
import { StateError, UsageError } from '../../../../src/errors/index.ts';

interface Pages {
  readonly asked: number[];
  closed: number;
}

function stream(
  rows: number,
  paging: Paging = {},
  step?: (rows: unknown[]) => number[],
): { stream: RowStream<number>; pages: Pages } {
  const pages: Pages = { asked: [], closed: 0 };
  let at = 0;
  return {
    pages,
    stream: new RowStream<number>({
      step,
      paging,
      open: () =>
        Promise.resolve({
          next: (count) => {
            pages.asked.push(count);
            const page = Array.from({ length: Math.min(count, rows - at) }, (_, index) => at + index);
            at += page.length;
            return Promise.resolve({ rows: page, done: at >= rows && page.length < count });
          },
          close: () => {
            pages.closed += 1;
            return Promise.resolve();
          },
        }),
    }),
  };
}

describe('a stream of rows', () => {
  it('asks for the next page when the last one was taken: a few first, then more, up to its limit', async () => {
    const { stream: given, pages } = stream(4000);
    let seen = 0;
    for await (const row of given) {
      assert.equal(row, seen);
      seen += 1;
      if (row === 5) assert.deepEqual(pages.asked, [20]);
    }
    assert.equal(seen, 4000);
    assert.deepEqual(pages.asked, [20, 100, 500, 1000, 1000, 1000, 1000]);
    assert.equal(pages.closed, 1);
    await assert.rejects(given.all(), StateError);
  });

  it('is closed once, whether left early, failed in the middle or never begun', async () => {
    const left = stream(100, { yieldPer: 3 });
    for await (const row of left.stream) if (row === 4) break;
    assert.deepEqual(left.pages, { asked: [3, 3], closed: 1 });
    const failed = stream(100);
    await assert.rejects(async () => {
      for await (const row of failed.stream) if (row === 1) throw new RangeError('mine');
    }, RangeError);
    assert.equal(failed.pages.closed, 1);
    const unread = stream(100);
    await unread.stream.close();
    await assert.rejects(unread.stream.all(), StateError);
    assert.deepEqual(unread.pages, { asked: [], closed: 0 });
  });

  it('gives parts of a size, also where a step leaves rows out', async () => {
    const seen = distinctRows((row) => Math.floor((row as number) / 3));
    const { stream: given } = stream(20, {}, (rows) => seen(rows) as number[]);
    const parts: number[][] = [];
    for await (const part of given.partitions(2)) parts.push(part);
    assert.deepEqual(parts, [[0, 3], [6, 9], [12, 15], [18]]);
    assert.throws(() => stream(1, { yieldPer: 0.5 }), UsageError);
    await assert.rejects(async () => {
      for await (const part of stream(1).stream.partitions(0)) assert.fail(String(part));
    }, UsageError);
  });
});

it('rows are equal by value, kinds kept apart, and instances by themselves', () => {
  class Thing {}
  const thing = new Thing();
  const rows = [
    1,
    '1',
    1n,
    null,
    new Date(5),
    { a: 1 },
    { a: '1' },
    { a: [1, 2] },
    ['a:1'],
    thing,
    { of: thing },
    new Uint8Array([1]),
  ];
  const again = [
    1,
    '1',
    1n,
    null,
    new Date(5),
    { a: 1 },
    { a: '1' },
    { a: [1, 2] },
    ['a:1'],
    thing,
    { of: thing },
    new Uint8Array([1]),
  ];
  const distinct = distinctRows(undefined);
  assert.deepEqual(distinct([...rows]), rows);
  assert.deepEqual(distinct([...again, new Thing(), { of: new Thing() }]).length, 2);
  assert.equal(distinctRows(undefined)([['a', 'b'], ['a,b'], ['ab'], ['s1:a']]).length, 4);
});
