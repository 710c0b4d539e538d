// Names in SQL: quoted only where they must be, and refused where the server would cut or misread them.
import { CompileError } from '../../errors/index.ts';
import type { FromElement } from '../../sql/from.ts';
import type { CompileContext, SqlRules } from './context.ts';

const PLAIN = /^[a-z_][a-z0-9_]*$/;
const encoder = new TextEncoder();

/** A name as SQL. Throws `ATH_COMPILE` for one that is empty, too long or holds a NUL. */
export function quoted(rules: Pick<SqlRules, 'reserved' | 'maxIdentifierLength'>, name: string): string {
  if (name === '') throw new CompileError('An SQL name is empty.');
  if (name.includes('\0')) throw new CompileError('An SQL name holds a NUL character.');
  if (!name.isWellFormed()) throw new CompileError('An SQL name holds half of a surrogate pair.');
  const bytes = encoder.encode(name).length;
  if (bytes > rules.maxIdentifierLength) {
    throw new CompileError(
      `The name ${name.slice(0, 20)}... has ${bytes} bytes, ${rules.maxIdentifierLength} are allowed.`,
      {
        hint: 'The server would cut it without a word, and two names might become one.',
      },
    );
  }
  return PLAIN.test(name) && !rules.reserved.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The schema to write before the name of a table that names `schema`; `undefined` for none. */
export function schemaOf(
  rules: Pick<SqlRules, 'schemas' | 'schemaOf'>,
  schema: string | undefined,
): string | undefined {
  if (!rules.schemas) return undefined;
  return rules.schemaOf === undefined ? schema : rules.schemaOf(schema);
}

export function identifier(context: CompileContext, name: string): string {
  return quoted(context.rules, name);
}

/** The name of a table as FROM and INTO take it. */
export function tableName(context: CompileContext, element: FromElement): string {
  const table = element.table ?? element;
  const name = identifier(context, table.name);
  const schema = schemaOf(context.rules, element.table?.schema);
  return schema === undefined ? name : `${identifier(context, schema)}.${name}`;
}
