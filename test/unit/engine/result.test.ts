import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MultipleResultsError, NoResultError, StateError, UsageError } from '../../../src/errors/index.ts';
import { Result, type RowForm } from '../../../src/engine/result.ts';
import { resultSite } from '../../../src/engine/result-watch.ts';
import { settled } from '../../../src/testing/clock.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const ROWS = { objects: [{ id: 1 }, { id: 2 }], tuples: [[1], [2]], scalars: [1, 2] };

function result(rows: { readonly [F in RowForm]: unknown[] } = ROWS): Result<{ id: number }, [number]> {
  return new Result((form, facts) => {
    facts.count = rows[form].length;
    return Promise.resolve(rows[form]);
  });
}
const one = { objects: [{ id: 1 }], tuples: [[1]], scalars: [1] };
const none = { objects: [], tuples: [], scalars: [] };

describe('a result', () => {
  it('gives all rows, the first, exactly one, one or none, by name, by position, or one value a row', async () => {
    assert.deepEqual(await result(), ROWS.objects);
    assert.deepEqual(await result().all(), ROWS.objects);
    assert.deepEqual(await result().mappings(), ROWS.objects);
    assert.deepEqual(await result().tuples(), ROWS.tuples);
    assert.deepEqual(await result().scalars(), ROWS.scalars);
    assert.equal(await result().scalars().first(), 1);
    assert.deepEqual(await result().first(), { id: 1 });
    assert.equal(await result(none).first(), null);
    assert.deepEqual(await result(one).one(), { id: 1 });
    assert.deepEqual(await result(one).oneOrNone(), { id: 1 });
    assert.equal(await result(none).oneOrNone(), null);
    assert.equal(await result().rowCount(), 2);
    await assert.rejects(result(none).one(), NoResultError);
    await assert.rejects(result().one(), MultipleResultsError);
    await assert.rejects(result().oneOrNone(), MultipleResultsError);
    const seen: number[] = [];
    for await (const { id } of result()) seen.push(id);
    assert.deepEqual(seen, [1, 2]);
    const parts: unknown[] = [];
    for await (const part of result().partitions(1)) parts.push(part);
    for (const size of [0, -1, Number.NaN]) await assert.rejects(result().partitions(size).next(), UsageError);
    assert.deepEqual(parts, [[{ id: 1 }], [{ id: 2 }]]);
  });

  it('runs once, by the next microtask, read or not; a view asked for too late is refused', async () => {
    let runs = 0;
    const made = new Result<number, [number]>(() => {
      runs += 1;
      return Promise.resolve([1]);
    });
    assert.equal(runs, 0);
    await Promise.resolve();
    assert.equal(runs, 1);
    assert.deepEqual([await made, await made.all()], [[1], [1]]);
    assert.equal(runs, 1);
    assert.throws(() => made.tuples(), StateError);
  });

  it('cannot be cloned', async () => {
    const made = result();
    assert.throws(() => structuredClone(made), { code: 'ATH_NOT_TRANSFERABLE' });
    await made;
  });
});

describe('a result nobody reads', () => {
  function nextWarning(): Promise<Error> {
    return new Promise((resolve) => {
      process.once('warning', resolve);
    });
  }
  function forget(): void {
    void new Result(() => Promise.resolve([]), resultSite(resultSite));
  }

  it('is warned of with the place it was asked for', async () => {
    const expected = /never read: is an await missing\?.*forget.*result\.test\.ts/;
    const messages: string[] = [];
    // Results that tests before this one left behind may be collected first.
    const listen = ({ message }: Error): void => void messages.push(message);
    process.on('warning', listen);
    forget();
    for (let round = 0; round < 50 && !messages.some((message) => expected.test(message)); round += 1) {
      await settled();
      collect();
    }
    process.off('warning', listen);
    assert.ok(
      messages.some((message) => expected.test(message)),
      messages.join('\n'),
    );
  });

  it('does not crash the process with its failure, which is told and can still be read', async () => {
    const warning = nextWarning();
    const failing = new Result(() => Promise.reject(new RangeError('mine')));
    assert.match((await warning).message, /was not read, and failed: RangeError: mine/);
    await assert.rejects(failing.all(), RangeError);
  });

  it('one that is read late is nobody’s mistake', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const late = result();
    await settled();
    await settled();
    await late;
    for (let round = 0; round < 5; round += 1) {
      collect();
      await settled();
    }
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  });
});
