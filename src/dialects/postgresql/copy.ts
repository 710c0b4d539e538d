// Rows as COPY's text format, both ways. Text and not binary: it is right for every type a column may have, user types
// included, and the server's own parser judges each value.
import { quoted } from '../../dialect/compile/identifier.ts';
import type { CopySql } from '../../dialect/dialect.ts';
import { ProtocolError } from '../../errors/index.ts';
import type { TableColumn, TableElement } from '../../sql/from.ts';
import type { Scalar, WireKind } from '../../types/wire.ts';
import { IDENTIFIERS } from './type-names.ts';
import { arrayOf } from './wire/array-values.ts';
import { textMoment } from './wire/epoch-values.ts';
import { textBigint, textInteger, textNumber } from './wire/number-values.ts';
import { parameterText } from './wire/parameter-text.ts';
import { text, textBool, textBytes } from './wire/plain-values.ts';
import type { ValueDecoder } from './wire/value-decoder.ts';

type Parse = (text: string) => Scalar;

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const DECODERS: Readonly<Record<string, ValueDecoder>> = {
  boolean: textBool,
  integer: textInteger,
  bigint: textBigint,
  float: textNumber,
  text,
  json: text,
  bytes: textBytes,
  epoch: textMoment,
};

const NEWLINE = 10;

export const postgresqlCopy: CopySql = Object.freeze({
  from: (table, columns) => `COPY ${target(table, columns)} FROM STDIN`,
  to: (table, columns) => `COPY ${target(table, columns)} TO STDOUT`,
  encoder(columns) {
    const kinds = columns.map(({ type }) => type.wire);
    return (row) => `${row.map((value, index) => field(value, kinds[index])).join('\t')}\n`;
  },
  decoder(columns) {
    const parsers = columns.map(({ type }) => parserOf(type.wire));
    let carried: Uint8Array = new Uint8Array();
    return (chunk) => {
      const bytes = carried.length === 0 ? Buffer.from(chunk) : Buffer.concat([carried, chunk]);
      const end = bytes.lastIndexOf(NEWLINE);
      carried = bytes.subarray(end + 1);
      if (end < 0) return [];
      return bytes
        .toString('utf8', 0, end)
        .split('\n')
        .map((line) => readRow(line, parsers));
    };
  },
} satisfies CopySql);

function target(table: Pick<TableElement, 'name' | 'schema'>, columns: readonly TableColumn[]): string {
  const name = (given: string): string => quoted(IDENTIFIERS, given);
  const schema = table.schema === undefined ? '' : `${name(table.schema)}.`;
  return `${schema}${name(table.name)} (${columns.map((column) => name(column.name)).join(', ')})`;
}

function field(value: Scalar, kind: WireKind | undefined): string {
  if (value === null) return '\\N';
  return parameterText(value, kind).replace(/[\b\f\n\r\t\v\\]/g, (mark) => ESCAPES[mark] as string);
}

function parserOf(kind: WireKind): Parse {
  const element = DECODERS[kind.replace(/\[\]$/, '')] ?? text;
  const decoder = kind.endsWith('[]') ? arrayOf(element) : element;
  return decoder.parse ?? ((given) => given);
}

function readRow(line: string, parsers: readonly Parse[]): Scalar[] {
  const fields = line.split('\t');
  if (fields.length !== parsers.length) {
    throw new ProtocolError(`COPY sent a row of ${fields.length} fields where ${parsers.length} were asked for.`);
  }
  return fields.map((given, index) => (given === '\\N' ? null : (parsers[index] as Parse)(unescaped(given))));
}

function unescaped(given: string): string {
  if (!given.includes('\\')) return given;
  return given.replace(/\\([\s\S])/g, (_, mark: string) => ESCAPED[mark] ?? mark);
}
