// What PostgreSQL calls the column types.
import { CompileError } from '../../errors/index.ts';
import type { ArrayType } from '../../types/array-type.ts';
import type { ColumnType } from '../../types/column-type.ts';
import type { CustomType } from '../../types/custom-type.ts';
import type { EnumType } from '../../types/text-types.ts';
import { quoted } from '../../dialect/compile/identifier.ts';
import { RESERVED } from './reserved-words.ts';

const NAMES: Readonly<Record<string, string>> = {
  integer: 'integer',
  bigint: 'bigint',
  double: 'double precision',
  numeric: 'numeric',
  text: 'text',
  varchar: 'varchar',
  boolean: 'boolean',
  timestamptz: 'timestamptz',
  uuid: 'uuid',
  json: 'jsonb',
  bytea: 'bytea',
};

export const IDENTIFIERS: { readonly reserved: ReadonlySet<string>; readonly maxIdentifierLength: number } = {
  reserved: RESERVED,
  maxIdentifierLength: 63,
};

/** The type with its limits: `numeric(12,2)`. */
export function typeName(type: ColumnType): string {
  if (type.name === 'custom') return (type as CustomType).sql;
  if (type.name === 'array') return `${typeName((type as ArrayType).element)}[]`;
  const limits = type.name === 'enum' || type.args.length === 0 ? '' : `(${type.args.join()})`;
  return `${unlimitedName(type)}${limits}`;
}

/** The type without limits: a cast to `varchar(5)` would cut a longer text without a word. */
export function unlimitedName(type: ColumnType): string {
  switch (type.name) {
    case 'custom':
      return (type as CustomType).sql.replace(/\s*\([^()]*\)/, '');
    case 'enum':
      return quoted(IDENTIFIERS, (type as EnumType).typeName);
    case 'array':
      return `${unlimitedName((type as ArrayType).element)}[]`;
    default: {
      const name = NAMES[type.name];
      if (name === undefined) throw new CompileError(`PostgreSQL has no type for ${type.name}.`);
      return name;
    }
  }
}
