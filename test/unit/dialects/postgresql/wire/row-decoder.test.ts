// The generated decoder and the closure are one decoder: same rows, same refusals, and the closure is what runs where
// code generation is forbidden.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { WireKind } from '../../../../../src/driver/driver.ts';
import { AthanorError } from '../../../../../src/errors/index.ts';
import { chooseDecoder } from '../../../../../src/dialects/postgresql/wire/choose-decoder.ts';
import { Frame } from '../../../../../src/dialects/postgresql/wire/frame.ts';
import { FrameReader } from '../../../../../src/dialects/postgresql/wire/frame-reader.ts';
import { closureDecoder, rowDecoder } from '../../../../../src/dialects/postgresql/wire/row-decoder.ts';

const COLUMNS: readonly (readonly [number, WireKind | undefined])[] = [
  [16, 'boolean'],
  [21, 'integer'],
  [23, undefined],
  [20, 'bigint'],
  [20, 'integer'],
  [701, 'float'],
  [1184, 'epoch'],
  [17, 'bytes'],
  [25, 'text'],
  [1700, 'integer'],
  [1007, 'integer[]'],
  [1009, 'text[]'],
  [25, 'boolean'],
];

function rowFrame(values: readonly (Uint8Array | null)[]): Frame {
  const parts = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : value.length);
    return value === null ? [length] : [length, value];
  });
  const bytes = Buffer.concat([Buffer.from([values.length >> 8, values.length]), ...parts]);
  const frame = new Frame(bytes);
  frame.end = bytes.length;
  return frame;
}

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() };
  } catch (error) {
    // Reading past the buffer's end is a RangeError here; the connection makes it a ProtocolError.
    if (error instanceof RangeError) return 'out of range';
    assert.ok(error instanceof AthanorError, String(error));
    return { name: error.name, message: error.message };
  }
}

describe('row decoders', () => {
  test('generated and closure agree on any bytes', () => {
    const value = fc.option(
      fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.constantFrom('1', '1.5', 't').map((text) => new Uint8Array(Buffer.from(text))),
      ),
    );
    const column = fc.constantFrom(...COLUMNS);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(column, value), { maxLength: 12 }),
        fc.integer({ min: -2, max: 2 }),
        (cells, slack) => {
          const decoders = cells.map(([[type, kind]]) => chooseDecoder(type, kind, true));
          const names = cells.map((_, i) => `c${i}`);
          const frame = rowFrame(cells.map(([, bytes]) => bytes));
          frame.end = Math.max(0, frame.end + slack);
          assert.deepEqual(
            outcome(() => rowDecoder(decoders, names)(frame)),
            outcome(() => closureDecoder(decoders, names)(frame)),
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('decoders of the same columns are the same code', () => {
    const make = () => rowDecoder([chooseDecoder(23, 'integer', true), chooseDecoder(25, 'text', true)], ['a', 'b']);
    const frame = rowFrame([new Uint8Array([0, 0, 0, 7]), new Uint8Array([104, 105])]);
    assert.deepEqual(
      [make()(frame), make()(frame)],
      [
        [7, 'hi'],
        [7, 'hi'],
      ],
    );
  });

  test('work where code generation is forbidden', () => {
    const folder = new URL('../../../../../src/dialects/postgresql/wire/', import.meta.url).href;
    const program = `
      const { rowDecoder } = await import('${folder}row-decoder.ts');
      const { chooseDecoder } = await import('${folder}choose-decoder.ts');
      const { Frame } = await import('${folder}frame.ts');
      const frame = new Frame(Buffer.from([0, 1, 0, 0, 0, 4, 0, 0, 0, 7]));
      frame.end = 10;
      let forbidden = false;
      try { new Function(''); } catch { forbidden = true; }
      console.log(JSON.stringify([forbidden, rowDecoder([chooseDecoder(23, 'integer', true)], ['a'])(frame)]));`;
    const out = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    assert.deepEqual(JSON.parse(out), [true, [7]]);
  });
});

describe('FrameReader', () => {
  test('gives the same frames however the bytes are cut', () => {
    const body = fc.tuple(fc.constantFrom('D', 'C', 'Z', '1', 'N'), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(
        fc.array(body, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (messages, cuts) => {
          const stream = Buffer.concat(
            messages.map(([type, bytes]) => {
              const head = Buffer.alloc(5);
              head.write(type);
              head.writeInt32BE(bytes.length + 4, 1);
              return Buffer.concat([head, bytes]);
            }),
          );
          const seen: [string, string][] = [];
          const reader = new FrameReader(1000, (frame) =>
            seen.push([String.fromCharCode(frame.type), frame.bytes.toString('hex', frame.start, frame.end)]),
          );
          const shared = Buffer.alloc(64);
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = Math.min(cuts[i % cuts.length] as number, stream.length - at);
            stream.copy(shared, 0, at, at + length);
            reader.push(shared, length);
            shared.fill(0xff);
            at += length;
          }
          assert.deepEqual(
            seen,
            messages.map(([type, bytes]) => [type, Buffer.from(bytes).toString('hex')]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('hands out nothing more once it is stopped', () => {
    let seen = 0;
    const bytes = Buffer.from([0x31, 0, 0, 0, 4, 0x31, 0, 0, 0, 4]);
    const reader = new FrameReader(1000, () => {
      seen += 1;
      reader.stop();
    });
    reader.push(bytes, bytes.length);
    assert.equal(seen, 1);
  });
});
