import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../../src/errors/index.ts';
import { expressionNode } from '../../../src/sql/operand.ts';

test('what is no expression is named, with the way to write one', () => {
  const told = (value: unknown, text: RegExp): void =>
    assert.throws(
      () => expressionNode(value),
      (error) => error instanceof UsageError && text.test(error.message),
    );
  told(undefined, /got undefined[^]*User\.c\.name/);
  told(false, /got a boolean[^]*\.eq\(/);
  told({ name: 'ada' }, /got an object[^]*\.eq\('ada'\)/);
  told([1], /got a list[^]*literal\(\)/);
  told(1, /got a number[^]*literal\(\)/);
});
