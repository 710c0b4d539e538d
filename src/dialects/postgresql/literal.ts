// Values written into DDL, which takes no parameters.
import type { Scalar } from '../../types/wire.ts';
import type { ColumnType } from '../../types/column-type.ts';
import { CompileError } from '../../errors/index.ts';
import { unlimitedName } from './type-names.ts';

export function literal(value: Scalar, type: ColumnType | undefined): string {
  if (value === null) return 'NULL';
  if (type !== undefined && (type.wire === 'epoch' || type.wire === 'json' || type.wire === 'bytes')) {
    return `${textLiteral(textForm(value, type))}::${unlimitedName(type)}`;
  }
  switch (typeof value) {
    case 'boolean':
      return value ? 'TRUE' : 'FALSE';
    case 'number':
    case 'bigint':
      return Number.isFinite(Number(value)) ? String(value) : `'${String(value)}'::double precision`;
    case 'string':
      return textLiteral(value);
    default:
      throw new CompileError('A schema cannot hold a list of values here.');
  }
}

function textForm(value: Scalar, type: ColumnType): string {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return type.wire === 'epoch' ? new Date(value as number).toISOString() : String(value);
}

function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
