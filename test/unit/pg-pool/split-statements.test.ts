import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitStatements } from '../../../src/pg-pool/split-statements.ts';

const trimmed = (sql: string): string[] => splitStatements(sql).map((part) => part.trim());

describe('splitting a text of several statements', () => {
  it('leaves one statement as it is', () => {
    for (const sql of ['select 1', '', ' -- nothing', "select ';'", 'select 1;', 'select 1; -- end\n;;']) {
      assert.equal(splitStatements(sql).length, 1, sql);
    }
    assert.deepEqual(splitStatements(';'), ['']);
  });

  it('cuts where a semicolon ends a statement, and nowhere else', () => {
    for (const opaque of [
      "';'",
      "'it''s;'",
      "E'\\';'",
      '"a;""b;"',
      '$$;$$',
      "$x$ ; $$ ' ; $x$",
      '/* ; /* ; */ ; */ 1',
      '1 -- ;\n',
      'a$b$c',
      'begin atomic select 1; select case when true then 2 end; end',
    ]) {
      const parts = trimmed(`select ${opaque}; select 2`);
      assert.deepEqual(parts, [`select ${opaque}`.trim(), 'select 2'], opaque);
    }
  });

  it('drops what holds only blanks and comments', () => {
    assert.deepEqual(trimmed('; select 1 ;; /* x */ ; -- y\n ; select 2;'), ['select 1', 'select 2']);
  });

  it('loses nothing and ends, whatever it is given', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '$$',
      '$a$',
      ';',
      ' ',
      'x',
      '\\',
      '/*',
      '*/',
      '--',
      '\n',
      'E',
      'end',
      'case',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const sql = pieces.join('');
        const joined = splitStatements(sql).join('');
        assert.ok(joined.length <= sql.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
