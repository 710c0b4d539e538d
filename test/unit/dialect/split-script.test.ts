import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scriptWords, type ScriptRules, splitScript } from '../../../src/dialect/split-script.ts';
import { UsageError } from '../../../src/errors/index.ts';

const SERVER: ScriptRules = { dollarQuotes: true, nestedComments: true, escapes: true };
const FILE: ScriptRules = { brackets: true };

describe('a script', () => {
  it('is cut at its semicolons, and nowhere else', () => {
    const cases: readonly (readonly [string, readonly string[], ScriptRules?])[] = [
      ['', []],
      [' ; ;; -- nothing\n', []],
      ['select 1', ['select 1']],
      ['select 1;select 2;', ['select 1', 'select 2']],
      [`select ';', 'it''s;', ";"";"; select 2`, [`select ';', 'it''s;', ";"";"`, 'select 2']],
      [`select E'\\';'; select 2`, [`select E'\\';'`, 'select 2']],
      [`select '\\'; select 2`, [`select '\\'`, 'select 2']],
      ['select $$;$$, $a$;$$;$a$; select $1', ['select $$;$$, $a$;$$;$a$', 'select $1']],
      ['select /* ; /* ; */ ; */ 1; -- ;\nselect 2', ['select /* ; /* ; */ ; */ 1', '-- ;\nselect 2']],
      ['select /* ; /* ; */ 1; select 2', ['select /* ; /* ; */ 1', 'select 2'], FILE],
      ['select [a;b], `c;d`; select 2', ['select [a;b], `c;d`', 'select 2'], FILE],
      [
        'create rule r as on insert to t do (select 1; select 2); select 3',
        ['create rule r as on insert to t do (select 1; select 2)', 'select 3'],
      ],
      [
        'create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3',
        [
          'create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end',
          'select 3',
        ],
      ],
      [
        'create temp trigger t after insert on a begin update b set x = 1; delete from c; end; select 1',
        ['create temp trigger t after insert on a begin update b set x = 1; delete from c; end', 'select 1'],
        FILE,
      ],
      [
        'begin; select 1; end; select case when 1 then 2 end; commit',
        ['begin', 'select 1', 'end', 'select case when 1 then 2 end', 'commit'],
      ],
      ['select a1$b$c; select 2', ['select a1$b$c', 'select 2']],
    ];
    for (const [script, statements, rules = SERVER] of cases)
      assert.deepEqual(splitScript(script, rules), statements, script);
  });

  it('with something open at its end is refused, by its line', () => {
    for (const open of ["select 1;\n\nselect 'x", 'a;\n\n"b', 'a;\n\n/* b', 'a;\n\n$x$ b']) {
      assert.throws(
        () => splitScript(open, SERVER),
        (error: UsageError) => error instanceof UsageError && /line 3/.test(error.message),
      );
    }
    assert.throws(() => splitScript('select 1\0', SERVER), UsageError);
  });

  it('has words, those in strings, names and comments left out', () => {
    assert.deepEqual(scriptWords(`SET x = 'listen' /* y */ "z"`, SERVER), ['set', 'x']);
  });
});
