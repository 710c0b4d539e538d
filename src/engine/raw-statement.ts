// SQL as text, with its parameters as plain JavaScript values: the way around the expression language, not around
// parameters. The text object is kept, so that a driver knows it again.
import type { DriverStatement, StatementText } from '../driver/driver.ts';
import { UsageError } from '../errors/index.ts';
import { Lru } from '../primitives/lru.ts';
import { encodeValue, typeOfValue } from '../types/encode.ts';
import { JSON_TYPE } from '../types/json-type.ts';
import type { Scalar, WireKind } from '../types/wire.ts';

const KEPT = 200;

/** Makes driver statements of raw SQL. */
export class RawStatements {
  readonly #texts = new Lru<string, StatementText>(KEPT);

  make(sql: string, params: readonly unknown[]): DriverStatement {
    const encoded = params.map(encode);
    return { text: this.#text(sql, encoded), params: encoded.map(({ value }) => value) };
  }

  /** One text, many parameter sets. Throws `ATH_USAGE` where they differ in length. */
  makeMany(sql: string, sets: readonly (readonly unknown[])[]): DriverStatement {
    const [first = []] = sets;
    const odd = sets.findIndex((set) => set.length !== first.length);
    if (odd >= 0) {
      throw new UsageError(
        `Parameter set ${odd} has ${sets[odd]?.length} values, the first has ${first.length}: all must be alike.`,
      );
    }
    const encoded = sets.map((set) => set.map(encode));
    const kinds = (encoded[0] ?? []).map((_, index) => ({ kind: agreed(encoded.map((set) => set[index]?.kind)) }));
    return { text: this.#text(sql, kinds), params: [], sets: encoded.map((set) => set.map(({ value }) => value)) };
  }

  #text(sql: string, params: readonly { readonly kind: WireKind | undefined }[]): StatementText {
    const kinds = params.map(({ kind }) => kind);
    const key = `${kinds.join()}|${sql}`;
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = Object.freeze({ sql, params: kinds, results: undefined, prepare: PREPARED.test(sql) });
      this.#texts.set(key, text);
    }
    return text;
  }
}

/** Data statements come again; the rest is mostly run once. */
const PREPARED = /^\s*(?:select|insert|update|delete|with|values)\b/i;

function encode(value: unknown): { readonly value: Scalar; readonly kind: WireKind | undefined } {
  if (value === null || value === undefined) return { value: null, kind: undefined };
  const type = typeOfValue(value) ?? JSON_TYPE;
  // Plain values go untyped, so that the database decides by where they stand.
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
  return { value: encodeValue(type, value), kind: plain ? undefined : type.wire };
}

function agreed(kinds: readonly (WireKind | undefined)[]): WireKind | undefined {
  return kinds.find((kind) => kind !== undefined);
}
