import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellWidth, cut, fit, printable } from '../../../packages/cli/src/text.ts';

test('[B32] control characters in data are shown, never obeyed', () => {
  assert.equal(printable('a\u001b[2Jb\u0007\r\n\tc\u009b1m'), 'a\\x1b[2Jb\\x07\\r\\n\\tc\\x9b1m');
  assert.equal(printable('user\u202egnp.exe\u2028x\u200b'), 'user\\u{202e}gnp.exe\\u{2028}x\\u{200b}');
  assert.equal(printable('lone \ud800 end'), 'lone \\u{d800} end');
  assert.equal(printable('pair 😀 ü 漢'), 'pair 😀 ü 漢');
  for (let code = 0; code < 0x20; code++) assert.doesNotMatch(printable(String.fromCharCode(code)), /\p{Cc}/u);
});

test('the width of a text is counted in cells', () => {
  assert.equal(cellWidth('abc'), 3);
  assert.equal(cellWidth('漢字'), 4);
  assert.equal(cellWidth('e\u0301'), 1);
  assert.equal(cellWidth('😀'), 2);
});

test('cut and fit give what was asked, to the cell', () => {
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('abcd', 4), 'abcd');
  assert.equal(cut('abc', 0), '');
  assert.equal(cut('漢字漢字', 4), '漢…');
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('ab', 4, 'right'), '  ab');
  assert.equal(fit('漢字漢字', 4), '漢… ');
  for (let width = 1; width < 12; width++) assert.equal(cellWidth(fit('a漢b字cd', width)), width);
});
