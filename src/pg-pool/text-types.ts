// What each type of the server becomes, by the rules of the `pg` package, so that code written for it reads the same
// values here. A programme may change a type for itself, for a pool, or for one query.
import { UsageError } from '../errors/index.ts';
import { Interval, readArray, readBytes, readCircle, readDate, readPoint } from './text-literals.ts';

/** Makes a value of a type's text. */
export type TypeParser = (text: string) => unknown;

/** Says how a type's text is read: `pg.types`, or an object of the same shape. */
export interface CustomTypes {
  // oxlint-disable-next-line typescript/no-explicit-any -- as the type declarations of pg have it
  getTypeParser(oid: number, format?: any): any;
}

const text: TypeParser = (value) => value;
const integer: TypeParser = (value) => Number.parseInt(value, 10);
const float: TypeParser = (value) => Number.parseFloat(value);
const boolean: TypeParser = (value) => value === 't' || value === 'true';
const json: TypeParser = (value) => JSON.parse(value);
const interval: TypeParser = (value) => new Interval(value);
const arrayOf =
  (element: TypeParser): TypeParser =>
  (value) =>
    readArray(value, element);

/** The types that are not text, and the arrays of those and of the commonest that are. */
const DEFAULTS: readonly (readonly [parser: TypeParser, ...oids: number[]])[] = [
  [boolean, 16],
  [readBytes, 17],
  [integer, 21, 23, 26],
  [float, 700, 701],
  [json, 114, 3802],
  [readPoint, 600],
  [readCircle, 718],
  [readDate, 1082, 1114, 1184],
  [interval, 1186],
  [arrayOf(boolean), 1000],
  [arrayOf(readBytes), 1001],
  [arrayOf(integer), 1005, 1007, 1028],
  [arrayOf(float), 1021, 1022, 1231],
  [arrayOf(json), 199, 3807],
  [arrayOf(readPoint), 1017],
  [arrayOf(readDate), 1115, 1182, 1185],
  [arrayOf(interval), 1187],
  [arrayOf(text), 651, 791, 1008, 1009, 1014, 1015, 1016, 1040, 1041, 1183, 1270, 2951, 3907],
];

/** A table of parsers by type. */
export class TypeOverrides implements CustomTypes {
  readonly #parsers = new Map<number, TypeParser>();
  readonly #base: CustomTypes | undefined;

  constructor(base?: CustomTypes) {
    this.#base = base;
  }

  /** Reads `oid` with `parser` from now on. Throws `ATH_USAGE` for the binary format, in which nothing comes here. */
  setTypeParser(oid: number, format: TypeParser | 'text' | 'binary', parser?: TypeParser): void {
    const given = typeof format === 'function' ? format : parser;
    if (format === 'binary' || typeof given !== 'function') {
      throw new UsageError('A type parser is a function that is given text.', { outcome: 'not-sent' });
    }
    this.#parsers.set(oid, given);
  }

  /** How `oid` is read; as it stands where nothing is known of it. */
  getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser {
    return (
      this.#parsers.get(oid) ?? (this.#base?.getTypeParser(oid, format ?? 'text') as TypeParser | undefined) ?? text
    );
  }
}

function defaults(): TypeOverrides {
  const table = new TypeOverrides();
  for (const [parser, ...oids] of DEFAULTS) for (const oid of oids) table.setTypeParser(oid, parser);
  return table;
}

/** The parsers every pool begins with; `types.setTypeParser` changes them for the whole process. */
export const types: TypeOverrides = defaults();
