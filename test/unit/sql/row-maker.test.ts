// Rows become objects of their own properties, whatever the columns are called.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { UsageError } from '../../../src/errors/index.ts';
import type { ResultShape } from '../../../src/sql/result-shape.ts';
import { objectRows, scalarRows, tupleRows } from '../../../src/sql/row-maker.ts';
import { MOMENT } from '../../../src/types/moment-types.ts';
import { TEXT } from '../../../src/types/text-types.ts';
import { compilers } from '../dialect/texts.ts';
import { select } from '../../../src/sql/statements/select.ts';
import { statementNode } from '../../../src/sql/raw.ts';
import { addresses, users } from './shop.ts';

function values(...keys: readonly string[]): ResultShape {
  return { key: keys.join(), items: keys.map((key, index) => ({ kind: 'value', key, index, type: TEXT })) };
}
function shapeOf(statement: unknown): ResultShape {
  return compilers.postgresql.compile(statementNode(statement)).result as ResultShape;
}

describe('row makers', () => {
  test('objects, tuples and single values, decoded by their types', () => {
    const shape: ResultShape = {
      key: 's',
      items: [
        { kind: 'value', key: 'at', index: 0, type: MOMENT },
        { kind: 'value', key: 'raw', index: 1, type: undefined },
      ],
    };
    assert.deepEqual(objectRows(shape)([5, 'x']), { at: new Date(5), raw: 'x' });
    assert.deepEqual(objectRows(shape)([null, null]), { at: null, raw: null });
    assert.deepEqual(tupleRows(shape)([5, 'x']), [new Date(5), 'x']);
    assert.deepEqual(scalarRows(shape)([5, 'x']), new Date(5));
    assert.equal(objectRows(shape), objectRows(shape));
  });

  test('a table selected whole is an object in the row, or null where an outer join found nothing', () => {
    const shape = shapeOf(
      select(addresses, users.c.name).selectFrom(users).outerJoin(addresses, addresses.c.userId.eq(users.c.id)),
    );
    assert.deepEqual(objectRows(shape)([1, 's', null, 2, 'ann']), {
      addresses: { id: 1, street: 's', city: null, userId: 2 },
      name: 'ann',
    });
    assert.deepEqual(objectRows(shape)([null, null, null, null, 'ann']), { addresses: null, name: 'ann' });
    assert.deepEqual(tupleRows(shape)([1, 's', null, 2, 'ann'])[1], 'ann');
  });

  test('columns named like parts of every object are plain own properties', () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      "a'b",
      'a"b',
      'a\\',
      '\u2028',
      '${x}',
      'a`b',
    ];
    const row = objectRows(values(...names))(names.map((_, index) => `v${index}`));
    assert.deepEqual(Object.keys(row), names);
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
    names.forEach((name, index) => assert.equal(Object.getOwnPropertyDescriptor(row, name)?.value, `v${index}`));
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  test('two columns of one name are refused as an object, and read as a tuple', () => {
    const shape = shapeOf(select(users.c.id, addresses.c.id).join(addresses, addresses.c.userId.eq(users.c.id)));
    assert.throws(() => objectRows(shape), UsageError);
    assert.deepEqual(tupleRows(shape)([1, 2]), [1, 2]);
  });

  test('the same without code generation', () => {
    const program = `
      import { objectRows, tupleRows } from ${JSON.stringify(new URL('../../../src/sql/row-maker.ts', import.meta.url).href)};
      const decode = (value) => value * 2;
      const shape = { key: 's', items: [
        { kind: 'value', key: '__proto__', index: 0, type: { decode } },
        { kind: 'entity', key: 'e', start: 1, columns: [{ key: 'a', type: {} }, { key: 'b', type: { decode } }] },
      ] };
      const row = objectRows(shape)([1, 2, 3]);
      console.log(JSON.stringify([Object.keys(row), Object.getOwnPropertyDescriptor(row, '__proto__').value, row.e, tupleRows(shape)([null, null, null])]));
    `;
    const arguments_ = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
    const { stdout, stderr } = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
    assert.equal(stdout.trim(), '[["__proto__","e"],2,{"a":2,"b":6},[null,null]]', stderr);
  });
});
