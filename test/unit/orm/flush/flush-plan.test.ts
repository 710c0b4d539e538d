import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CircularDependencyError } from '../../../../src/errors/index.ts';
import { type FlushPlan, planFlush } from '../../../../src/orm/flush/flush-plan.ts';
import { KeyRef, type RowChange } from '../../../../src/orm/flush/row-change.ts';
import { deleted, inserted, keyOf, refer, type TestTable, testTable, updated } from './rows.ts';

const lines = (plan: FlushPlan): string[] =>
  plan.steps.map(({ action, table, rows }) => `${action} ${table.name} ${rows.length}`);

describe('planFlush', () => {
  it('saves parents before children and deletes children before parents', () => {
    const [users, addresses] = family();
    const ann = inserted(users, { name: 1 });
    const plan = planFlush([
      deleted(users, { id: 7, name: 0 }),
      deleted(addresses, { id: 8, user_id: 7 }),
      inserted(addresses, { user_id: keyOf(ann) }),
      ann,
    ]);
    assert.deepEqual(lines(plan), ['insert users 1', 'insert addresses 1', 'delete addresses 1', 'delete users 1']);
    assert.deepEqual(plan.steps[1]?.needs, [0]);
  });

  it('puts neighbours of one shape into one statement, and keeps the order in which rows were added', () => {
    const [users] = family();
    const plan = planFlush([
      inserted(users, { name: 1 }),
      inserted(users, { name: 2 }),
      inserted(users, { id: 5, name: 3 }),
      inserted(users, { name: 4 }),
    ]);
    assert.deepEqual(lines(plan), ['insert users 2', 'insert users 1', 'insert users 1']);
  });

  it('writes 1,000 changed rows of one shape in one statement', () => {
    const [users] = family();
    const plan = planFlush(Array.from({ length: 1000 }, (_, id) => updated(users, id, { name: id })));
    assert.deepEqual(lines(plan), ['update users 1000']);
  });

  it('updates before it inserts, within one table', () => {
    const [users] = family();
    const plan = planFlush([inserted(users, { name: 1 }), updated(users, 3, { name: 2 })]);
    assert.deepEqual(lines(plan), ['update users 1', 'insert users 1']);
  });

  it('writes a tree of n levels in n batches', () => {
    const nodes = testTable('nodes', ['parent_id?']);
    refer(nodes, 'parent_id', nodes);
    const levels = 5;
    const rows: RowChange[] = [];
    let above: RowChange[] = [inserted(nodes, { parent_id: null })];
    rows.push(...above);
    for (let level = 1; level < levels; level++) {
      above = above.flatMap((row) => [0, 1].map(() => inserted(nodes, { parent_id: keyOf(row) })));
      rows.push(...above);
    }
    assert.deepEqual(
      lines(planFlush(rows.reverse())),
      [1, 2, 4, 8, 16].map((count) => `insert nodes ${count}`),
    );
  });

  it('deletes a tree from its leaves', () => {
    const nodes = testTable('nodes', ['parent_id?']);
    refer(nodes, 'parent_id', nodes);
    const plan = planFlush([
      deleted(nodes, { id: 1, parent_id: null }),
      deleted(nodes, { id: 2, parent_id: 1 }),
      deleted(nodes, { id: 3, parent_id: 1 }),
      deleted(nodes, { id: 4, parent_id: 3 }),
    ]);
    assert.deepEqual(
      plan.steps.map((step) => step.values.map(([id]) => id)),
      [[2, 4], [3], [1]],
    );
  });

  it('turns a delete and an insert of one key into an update', () => {
    const [users, addresses] = family();
    const plan = planFlush([
      deleted(users, { id: 7, name: 0 }),
      inserted(users, { id: 7, name: 2 }),
      inserted(addresses, { user_id: 7 }),
    ]);
    assert.deepEqual(lines(plan), ['update users 1', 'insert addresses 1']);
    assert.deepEqual(plan.steps[0]?.values, [[2, 7]]);
  });

  it('parts two new rows that need each other, where one may be NULL for a moment', () => {
    const [users, addresses] = family();
    refer(users, 'home_id', addresses);
    const values: Record<string, number | KeyRef> = { name: 1 };
    const ann = inserted(users, { name: 1, home_id: 0 });
    const home = inserted(addresses, { user_id: keyOf(ann) });
    (ann.values as unknown[])[1] = keyOf(home);
    void values;
    const plan = planFlush([ann, home]);
    assert.deepEqual(lines(plan), ['insert users 1', 'insert addresses 1', 'update users 1']);
    assert.deepEqual(plan.steps[0]?.values, [[1, null]]);
    assert.ok(plan.steps[2]?.values[0]?.every((cell) => cell instanceof KeyRef));
    assert.deepEqual(plan.steps[2]?.needs, [0, 1]);
    assert.ok(ann.values[1] instanceof KeyRef, 'the rows given stay as they are');
  });

  it('parts thousands of pairs at once', { timeout: 2000 }, () => {
    const [users, addresses] = family();
    refer(users, 'home_id', addresses);
    const rows = Array.from({ length: 3000 }, () => {
      const ann = inserted(users, { name: 1, home_id: 0 });
      const home = inserted(addresses, { user_id: keyOf(ann) });
      (ann.values as unknown[])[1] = keyOf(home);
      return [ann, home];
    });
    const started = performance.now();
    const plan = planFlush(rows.flat());
    assert.deepEqual(lines(plan), ['insert users 3000', 'insert addresses 3000', 'update users 3000']);
    // One pair after the other took 12 s.
    assert.ok(performance.now() - started < 2000);
  });

  it('parts two rows to be deleted that point at each other', () => {
    const [users, addresses] = family();
    refer(users, 'home_id', addresses);
    const plan = planFlush([deleted(users, { id: 1, home_id: 2 }), deleted(addresses, { id: 2, user_id: 1 })]);
    assert.deepEqual(lines(plan), ['update users 1', 'delete addresses 1', 'delete users 1']);
    assert.deepEqual(plan.steps[0]?.values, [[null, 1]]);
  });

  it('refuses rows that no order can write, before anything runs', () => {
    const left = testTable('left', ['right_id']);
    const right = testTable('right', ['left_id']);
    refer(left, 'right_id', right);
    refer(right, 'left_id', left);
    const a = inserted(left, { right_id: 0 });
    const b = inserted(right, { left_id: keyOf(a) });
    (a.values as unknown[])[0] = keyOf(b);
    assert.throws(
      () => planFlush([a, b]),
      (error: unknown) => {
        assert.ok(error instanceof CircularDependencyError);
        assert.match(error.message, /left needs right/);
        return true;
      },
    );
  });

  it('prints what it will do, without a value', () => {
    const [users, addresses] = family();
    const ann = inserted(users, { name: 4711 });
    const plan = planFlush([ann, inserted(addresses, { user_id: keyOf(ann) })]);
    assert.equal(
      String(plan),
      [
        'flush plan: 2 statements, 2 rows',
        '  1. INSERT users (name) returning id: 1 row',
        '  2. INSERT addresses (user_id <- users.id) returning id: 1 row, with keys from 1',
      ].join('\n'),
    );
    assert.ok(!JSON.stringify(plan).includes('4711'));
    assert.ok(Object.isFrozen(plan) && Object.isFrozen(plan.steps[0]));
  });

  it('runs everything a row depends on before the row, for any graph of tables and rows', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const rows = build(graph);
        const plan = planFlush(rows);
        checkOrder(plan, rows);
      }),
      { numRuns: 300 },
    );
  });

  it('gives equal plans for equal changes', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        assert.equal(String(planFlush(build(graph))), String(planFlush(build(graph))));
      }),
      { numRuns: 50 },
    );
  });
});

function family(): [TestTable, TestTable] {
  const users = testTable('users', ['name', 'home_id?']);
  const addresses = testTable('addresses', ['user_id']);
  refer(addresses, 'user_id', users);
  return [users, addresses];
}

interface Graph {
  readonly tables: number;
  /** Foreign keys between tables: child, parent. */
  readonly keys: readonly (readonly [number, number])[];
  /** Rows: table, known key, and which earlier or later rows its foreign keys point to. */
  readonly rows: readonly {
    readonly table: number;
    readonly known: boolean;
    readonly targets: readonly number[];
    readonly gone: boolean;
  }[];
}

const graphs: fc.Arbitrary<Graph> = fc.record({
  tables: fc.integer({ min: 1, max: 4 }),
  keys: fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 5 }),
  rows: fc.array(
    fc.record({
      table: fc.nat(3),
      known: fc.boolean(),
      targets: fc.array(fc.nat(11), { minLength: 5, maxLength: 5 }),
      gone: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

/** Every foreign key may be NULL, so that every graph has an order. */
function build({ tables: count, keys, rows }: Graph): RowChange[] {
  const tables = Array.from({ length: count }, (_, index) =>
    testTable(
      `t${index}`,
      keys.map((_key, at) => `k${at}?`),
    ),
  );
  keys.forEach(([child, parent], at) => {
    const [from, to] = [tables[child % count], tables[parent % count]];
    if (from !== undefined && to !== undefined) refer(from, `k${at}`, to);
  });
  const made = rows.map((row, id) => {
    const mapper = tables[row.table % count] as TestTable;
    const names = keys.flatMap(([child], at) => (child % count === row.table % count ? [`k${at}`] : []));
    const empty = Object.fromEntries(names.map((name) => [name, null]));
    if (row.gone) return deleted(mapper, { id: 100 + id, ...empty });
    return inserted(mapper, row.known ? { id: 100 + id, ...empty } : empty);
  });
  made.forEach((change, id) => {
    for (const [at, key] of change.mapper.foreignKeys.entries()) {
      const target = made[(rows[id]?.targets[at] ?? 0) % made.length];
      if (target === undefined || target.mapper.table !== key.target) continue;
      point(change, key.columns[0]?.name ?? '', { target, id: 100 + made.indexOf(target) });
    }
  });
  return made;
}

function point(change: RowChange, column: string, { target, id }: { target: RowChange; id: number }): void {
  const bothGone = change.shape.action === 'delete' && target.shape.action === 'delete';
  const bothNew = change.shape.action === 'insert' && target.shape.action === 'insert';
  if (bothGone) {
    const at = change.mapper.table.columns.findIndex(({ name }) => name === column);
    (change.stored as unknown[])[at] = id;
  } else if (bothNew) {
    const at = change.shape.set.findIndex(({ name }) => name === column);
    (change.values as unknown[])[at] = target.shape.returning.length === 0 ? id : keyOf(target);
  }
}

/** Replays the plan: a reference must name a row that is there, and no row may go while another points at it. */
function checkOrder(plan: FlushPlan, rows: readonly RowChange[]): void {
  const there = new Set<unknown>();
  const pointing = new Map<string, unknown>();
  const rowId = new Map<RowChange, unknown>();
  const idOf = (row: RowChange): unknown => {
    const at = row.shape.set.findIndex(({ name }) => name === 'id');
    return at === -1 ? row : row.values[at];
  };
  for (const row of rows) {
    if (row.shape.action === 'insert') rowId.set(row, idOf(row));
    else {
      there.add(row.values[0]);
      row.mapper.foreignKeys.forEach((key) => {
        const name = key.columns[0]?.name ?? '';
        const at = row.mapper.table.columns.findIndex((column) => column.name === name);
        pointing.set(`${idText(row.values[0])}.${name}`, row.stored?.[at] ?? null);
      });
    }
  }
  const written = new Set<RowChange>();
  for (const step of plan.steps) {
    for (const needed of step.needs) assert.ok(needed < step.index, 'a step needs only earlier ones');
    step.rows.forEach((row, index) => {
      const cells = step.values[index] ?? [];
      if (step.action === 'delete') {
        const id = cells[0];
        for (const [from, to] of pointing) {
          if (to === id) assert.ok(from.startsWith(`${idText(id)}.`), `${idText(id)} goes while ${from} points at it`);
        }
        for (const key of pointing.keys()) if (key.startsWith(`${idText(id)}.`)) pointing.delete(key);
        there.delete(id);
        return;
      }
      const self = row.shape.action === 'insert' ? rowId.get(row) : undefined;
      row.shape.set.forEach((column, at) => {
        const cell = cells[at];
        const isKey = row.mapper.foreignKeys.some((key) => key.columns[0] === column);
        if (!isKey || cell === null || cell === undefined) {
          if (step.action === 'update') pointing.set(`${idText(cells[row.shape.set.length])}.${column.name}`, null);
          return;
        }
        const target = cell instanceof KeyRef ? cell.row : cell;
        assert.ok(there.has(target) || target === self, 'a foreign key names a row that is there');
      });
      if (row.shape.action === 'insert') {
        there.add(idOf(row));
        there.add(row);
        written.add(row);
      }
    });
  }
  for (const row of rows) if (row.shape.action === 'insert') assert.ok(written.has(row), 'every row is written');
}

/** What a key is called in the replay: its number, or the row it will be made for. */
function idText(id: unknown): string {
  return typeof id === 'number' ? `#${id}` : 'new';
}
