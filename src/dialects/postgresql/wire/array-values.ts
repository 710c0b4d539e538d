// Arrays in both formats. Elements go through the same decoders as single values. A lower bound other than 1 is
// dropped: JavaScript arrays have none.
import type { Scalar } from '../../../driver/driver.ts';
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';
import { readText, unfit, type ValueDecoder } from './value-decoder.ts';

const MAX_DIMENSIONS = 6;

const damaged = (what: string): never => unfit(`the value is no array: ${what}`);

/** Reads `{1,2,{...}}`. One pass, no recursion deeper than PostgreSQL's own limit of dimensions. */
class ArrayText {
  readonly #text: string;
  readonly #element: (text: string) => Scalar;
  #at = 0;

  constructor(text: string, element: (text: string) => Scalar) {
    this.#text = text;
    this.#element = element;
  }

  parse(): Scalar[] {
    // `[0:2]={...}`: explicit bounds.
    if (this.#text[0] === '[') this.#at = this.#text.indexOf('=') + 1;
    const list = this.#list(1);
    if (this.#at !== this.#text.length) damaged('something follows its end');
    return list;
  }

  #list(depth: number): Scalar[] {
    if (this.#text[this.#at] !== '{' || depth > MAX_DIMENSIONS) damaged('it does not begin as one');
    this.#at += 1;
    const out: Scalar[] = [];
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return out;
    }
    for (;;) {
      out.push(this.#item(depth));
      const next = this.#text[this.#at++];
      if (next === '}') return out;
      if (next !== ',') damaged('it does not end');
    }
  }

  #item(depth: number): Scalar {
    const first = this.#text[this.#at];
    if (first === '{') return this.#list(depth + 1);
    if (first === '"') return this.#element(this.#quoted());
    const start = this.#at;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ',' && this.#text[this.#at] !== '}') this.#at += 1;
    const plain = this.#text.slice(start, this.#at);
    return plain === 'NULL' ? null : this.#element(plain);
  }

  #quoted(): string {
    let out = '';
    let from = this.#at + 1;
    for (let at = from; at < this.#text.length; at++) {
      const letter = this.#text[at];
      if (letter === '\\') {
        out += this.#text.slice(from, at);
        from = at + 1;
        at += 1;
      } else if (letter === '"') {
        this.#at = at + 1;
        return out + this.#text.slice(from, at);
      }
    }
    return damaged('a quote stays open');
  }
}

/** Reads the binary form: dimensions, flags, element type, bounds, then the elements in row order. */
function readBinary(element: ValueDecoder, frame: Frame, cursor: { at: number; readonly end: number }): Scalar[] {
  const { view } = frame;
  const { at, end } = cursor;
  const dimensions = end - at >= 12 ? view.getInt32(at) : -1;
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS || end - at < 12 + dimensions * 8) violation('a damaged array');
  if (dimensions === 0) return [];
  const sizes = Array.from({ length: dimensions }, (_, i) => view.getInt32(at + 12 + i * 8));
  // Every element has at least its length: sizes that cannot be are refused before memory is taken for them.
  if (sizes.some((size) => size < 1) || sizes.reduce((product, size) => product * size, 4) > end - at) {
    violation('an array larger than its message');
  }
  cursor.at = at + 12 + dimensions * 8;
  const read = (dimension: number): Scalar[] => {
    const out: Scalar[] = [];
    const inner = dimension + 1 < dimensions;
    for (let i = sizes[dimension] as number; i > 0; i--) {
      out.push(inner ? read(dimension + 1) : readElement(element, frame, cursor));
    }
    return out;
  };
  const out = read(0);
  if (cursor.at !== end) violation('an array of another length than announced');
  return out;
}

function readElement(element: ValueDecoder, frame: Frame, cursor: { at: number }): Scalar {
  const length = frame.view.getInt32(cursor.at);
  const at = cursor.at + 4;
  if (length === -1) {
    cursor.at = at;
    return null;
  }
  if (length < 0 || at + length > frame.end) violation('an array element longer than its message');
  cursor.at = at + length;
  return element.read(frame, at, length);
}

const made = new Map<string, ValueDecoder>();

/** The decoder of arrays of `element`, in the element's format; always the same object for the same element. */
export function arrayOf(element: ValueDecoder): ValueDecoder {
  const known = made.get(element.key);
  if (known !== undefined) return known;
  const parse = (text: string): Scalar => new ArrayText(text, element.parse ?? ((value) => value)).parse();
  const decoder: ValueDecoder = element.binary
    ? {
        key: `${element.key}[]`,
        binary: true,
        read: (frame, at, length) => readBinary(element, frame, { at, end: at + length }),
      }
    : {
        key: `${element.key}[]`,
        binary: false,
        parse,
        read: (frame, at, length) => parse(readText(frame, at, length)),
      };
  if (!element.key.startsWith('x')) made.set(element.key, decoder);
  return decoder;
}
