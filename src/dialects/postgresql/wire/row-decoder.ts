// Turns a DataRow into an array. One function per list of columns is generated where the platform allows it: it has
// no loop, no table and no call for the common types. Elsewhere a closure does the same; both refuse the same rows.
import type { Scalar } from '../../../driver/driver.ts';
import { DataError } from '../../../errors/index.ts';
import type { Frame } from './frame.ts';
import { wrongSize } from './number-values.ts';
import { violation } from './protocol.ts';
import type { ValueDecoder } from './value-decoder.ts';

export type RowDecoder = (frame: Frame) => Scalar[];

/** Above this the generated function would be too long to be optimised. */
const MAX_GENERATED = 200;
/** Row shapes kept; a programme has far fewer. */
const MAX_SHAPES = 2000;

const damagedRow = (): never => violation('a row whose fields do not fill its message');
const wrongCount = (): never => violation('a row with another number of fields than described');

/** Says which column a value was refused in. */
export function located(error: unknown, column: string): unknown {
  return error instanceof DataError && error.column === undefined
    ? new DataError(`column ${JSON.stringify(column)}: ${error.message}`, { column })
    : error;
}

/** The decoder without generated code: also the one that finds which column refused. */
export function closureDecoder(decoders: readonly ValueDecoder[], names: readonly string[]): RowDecoder {
  return (frame) => {
    const { view, end } = frame;
    if (end - frame.start < 2 || view.getUint16(frame.start) !== decoders.length) wrongCount();
    const row: Scalar[] = [];
    let at = frame.start + 2;
    for (let i = 0; i < decoders.length; i++) {
      if (at + 4 > end) damagedRow();
      const length = view.getInt32(at);
      at += 4;
      if (length < -1 || at + length > end) damagedRow();
      try {
        row.push(length === -1 ? null : (decoders[i] as ValueDecoder).read(frame, at, length));
      } catch (error) {
        throw located(error, names[i] ?? String(i));
      }
      if (length > 0) at += length;
    }
    if (at !== end) damagedRow();
    return row;
  };
}

/** Source of the generated function's body. Only numbers and our own constants go into it, no name of a column. */
function source(decoders: readonly ValueDecoder[]): string {
  const lines = decoders.map(
    (decoder, i) =>
      `let v${i} = null; if (at + 4 > end) damagedRow(); length = view.getInt32(at); at += 4;` +
      `if (length >= 0) { if (at + length > end) damagedRow(); v${i} = ${decoder.code ?? `d${i}.read(frame, at, length)`}; at += length; }` +
      'else if (length !== -1) damagedRow();',
  );
  const unpack = decoders
    .map((decoder, i) => (decoder.code === undefined ? `const d${i} = decoders[${i}];` : ''))
    .join('');
  return `${unpack}
return function decodeRow(frame) {
  const bytes = frame.bytes, view = frame.view, end = frame.end;
  let at = frame.start + 2, length = 0;
  if (at > end || view.getUint16(at - 2) !== ${decoders.length}) wrongCount();
  ${lines.join('\n  ')}
  if (at !== end) damagedRow();
  return [${decoders.map((_, i) => `v${i}`).join(', ')}];
};`;
}

const generated = new Map<string, RowDecoder>();
let mayGenerate: boolean | undefined;

function generate(decoders: readonly ValueDecoder[]): RowDecoder | undefined {
  if (mayGenerate === false || decoders.length > MAX_GENERATED) return undefined;
  const key = decoders.map((decoder) => decoder.key).join(',');
  const known = generated.get(key);
  if (known !== undefined) return known;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the point of this file; the source holds nothing from outside
    const make = new Function('decoders', 'wrongCount', 'damagedRow', 'wrongSize', source(decoders));
    const decode = make(decoders, wrongCount, damagedRow, wrongSize) as RowDecoder;
    mayGenerate = true;
    if (generated.size >= MAX_SHAPES) generated.clear();
    generated.set(key, decode);
    return decode;
  } catch {
    // Code generation is forbidden here (a Content-Security-Policy or a flag of Node): the closure does as well.
    mayGenerate = false;
    return undefined;
  }
}

/** The fastest decoder for these columns. */
export function rowDecoder(decoders: readonly ValueDecoder[], names: readonly string[]): RowDecoder {
  const explain = closureDecoder(decoders, names);
  const fast = generate(decoders);
  if (fast === undefined) return explain;
  return (frame) => {
    try {
      return fast(frame);
    } catch (error) {
      // Decode again, slowly, to say which column it was.
      if (error instanceof DataError) return explain(frame);
      throw error;
    }
  };
}
