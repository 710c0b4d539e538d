// What an entity looked like when its row was read, and whether it still does. JavaScript cannot tell us of a write to
// a plain property, so a flush compares; the comparison is made for the class, so that a hundred thousand clean
// entities cost milliseconds. Where a value can be changed in place (dates, bytes, custom objects) the baseline keeps
// a scalar of it; JSON is frozen when read, so the same object is the same value.
import type { ColumnType } from '../../types/column-type.ts';
import { encodeValue } from '../../types/encode.ts';
import type { Scalar } from '../../types/wire.ts';
import { canGenerate, generate, quoted } from './codegen.ts';

/** One entry a column: the value, or the scalar that stands for it; behind the last, the objects JSON was read into. */
export type Baseline = unknown[];

export interface BaselineColumn {
  readonly key: string;
  readonly type: ColumnType;
}

/** Compares one column: `true` where value and baseline differ. */
type Differs = (value: unknown, baseline: Baseline) => boolean;
type Take = (row: Baseline, start: number, values: unknown[]) => Baseline;
type Walk = (entities: readonly object[], baselines: readonly Baseline[], changed: number[]) => void;

export class BaselineFormat {
  readonly columns: readonly BaselineColumn[];
  /** Where the object read for a JSON column stands; 0 for other columns. */
  readonly #objectAt: readonly number[];
  readonly #decoded: readonly number[];
  readonly #differs: readonly Differs[];
  /** Reused from row to row: values live only until they are on an entity. */
  readonly #values: unknown[];
  #current: readonly unknown[] = [];
  readonly #blank: Baseline;
  #entityDiffers: ((entity: object, baseline: Baseline) => boolean) | undefined;
  #walk: Walk | undefined;
  #take: Take | undefined;

  constructor(columns: readonly BaselineColumn[]) {
    this.columns = columns;
    let next = columns.length;
    this.#objectAt = columns.map(({ type }) => (type.compare === 'json' ? next++ : 0));
    this.#decoded = columns.flatMap(({ type }, index) =>
      type.decode !== undefined || type.compare === 'bytes' ? [index] : [],
    );
    this.#values = columns.map(() => undefined);
    this.#blank = Array.from({ length: next }, () => undefined);
    this.#differs = columns.map((column, index) => differs(column.type, index, this.#objectAt[index] as number));
  }

  /** A baseline that says nothing yet, with room for all it may say. */
  blank(): Baseline {
    return this.#blank.slice();
  }

  /**
   * The baseline of a row in wire form, whose columns begin at `start`; the row itself where it is nothing else and
   * nothing in it has another form. What the entity gets is in `values` then.
   */
  take(row: Baseline, start: number): Baseline {
    if (this.#decoded.length === 0 && start === 0 && row.length === this.columns.length) {
      this.#current = row;
      return row;
    }
    this.#current = this.#values;
    this.#take ??= makeTake(this.columns.map(({ type }) => type));
    return this.#take(row, start, this.#values);
  }

  /** The values of the row taken last, good until the next one. */
  get values(): readonly unknown[] {
    return this.#current;
  }

  /** Puts one column's wire value into a baseline and gives the value the entity gets. */
  readColumn(baseline: Baseline, index: number, wire: Scalar): unknown {
    const { type } = this.columns[index] as BaselineColumn;
    const value = decoded(type, wire);
    if (type.compare === 'json') baseline[this.#objectAt[index] as number] = value;
    baseline[index] = kept(type, wire, value);
    return value;
  }

  /** The value an entity had in a column when the baseline was taken. */
  value(baseline: Baseline, index: number): unknown {
    const { type } = this.columns[index] as BaselineColumn;
    const kept = baseline[index];
    if (kept === null || kept === undefined || type.compare === 'identity') return kept;
    if (type.compare === 'json') return baseline[this.#objectAt[index] as number];
    if (type.compare === 'bytes') return (kept as Uint8Array).slice();
    return type.decode === undefined ? kept : type.decode(kept as Scalar);
  }

  /** A column of a baseline in wire form. */
  wire(baseline: Baseline, index: number): Scalar | undefined {
    const { type } = this.columns[index] as BaselineColumn;
    const kept = baseline[index] as Scalar | undefined;
    if (kept === null || kept === undefined || type.compare !== 'identity') return kept;
    return encodeValue(type, kept);
  }

  /** Whether any column of the entity differs. Throws what a missing column's accessor throws. */
  differs(entity: object, baseline: Baseline): boolean {
    this.#entityDiffers ??= makeDiffers(this.columns, this.#objectAt, this.#differs);
    return this.#entityDiffers(entity, baseline);
  }

  /** Adds to `changed` the positions of entities that differ from their baselines. */
  walk(entities: readonly object[], baselines: readonly Baseline[], changed: number[]): void {
    this.#walk ??= makeWalk(this.columns, this.#objectAt, this.#differs);
    this.#walk(entities, baselines, changed);
  }

  /** Whether one column differs. A column that is not the entity's own does not; one that was not read does, once it is set. */
  columnDiffers(entity: object, baseline: Baseline, index: number): boolean {
    const { key } = this.columns[index] as BaselineColumn;
    if (!Object.hasOwn(entity, key)) return false;
    const value = (entity as Record<string, unknown>)[key];
    if (baseline[index] === undefined) return true;
    return (this.#differs[index] as Differs)(value, baseline);
  }
}

function decoded(type: ColumnType, wire: Scalar): unknown {
  return wire === null || type.decode === undefined ? wire : type.decode(wire);
}

/** What stands for a value in the baseline. */
function kept(type: ColumnType, wire: Scalar, value: unknown): unknown {
  if (type.compare === 'identity') return value;
  return type.compare === 'bytes' && value instanceof Uint8Array ? value.slice() : wire;
}

function makeTake(types: readonly ColumnType[]): Take {
  if (!canGenerate()) return (row, start, values) => taken(types, { row, start, values });
  const decoders: unknown[] = [];
  const reads: string[] = [];
  const entries: string[] = [];
  const objects: string[] = [];
  types.forEach(({ decode, compare }, index) => {
    const wire = `row[start + ${index}]`;
    const value = decode === undefined ? 'w' : `w === null ? null : d${decoders.push(decode) - 1}(w)`;
    reads.push(`w = ${wire}; const v${index} = values[${index}] = ${value};`);
    entries.push(
      compare === 'identity' ? `v${index}` : compare === 'bytes' ? `kept(types[${index}], ${wire}, v${index})` : wire,
    );
    if (compare === 'json') objects.push(`v${index}`);
  });
  const constants = decoders.map((_, at) => `const d${at} = decoders[${at}];`).join(' ');
  return generate(
    `${constants} return (row, start, values) => { let w; ${reads.join(' ')} return [${[...entries, ...objects].join(', ')}]; };`,
    { types, decoders, kept },
  );
}

function taken(
  types: readonly ColumnType[],
  { row, start, values }: { readonly row: Baseline; readonly start: number; readonly values: unknown[] },
): Baseline {
  const baseline: Baseline = [];
  types.forEach((type, index) => {
    const wire = row[start + index] as Scalar;
    values[index] = decoded(type, wire);
    baseline.push(kept(type, wire, values[index]));
  });
  types.forEach(({ compare }, index) => {
    if (compare === 'json') baseline.push(values[index]);
  });
  return baseline;
}

/** What a value would be on the wire; `undefined`, which equals nothing, where it is not of the type: the flush will say so. */
function tryEncode(type: ColumnType, value: unknown): Scalar | undefined {
  try {
    return encodeValue(type, value);
  } catch {
    return undefined;
  }
}

function differs(type: ColumnType, index: number, objectAt: number): Differs {
  switch (type.compare) {
    case 'identity':
      // NaN is what NaN was.
      return (value, baseline) => value !== baseline[index] && (value === value || baseline[index] === baseline[index]);
    case 'time':
      return (value, baseline) => timeDiffers(value, baseline[index], type);
    case 'json':
      return (value, baseline) => value !== baseline[objectAt] && jsonDiffers(value, baseline[index], type);
    case 'bytes':
      return (value, baseline) => !sameScalar(value as Scalar, baseline[index] as Scalar);
    case 'encoded':
      return (value, baseline) => encodedDiffers(value, baseline[index], type);
  }
}

function timeDiffers(value: unknown, kept: unknown, type: ColumnType): boolean {
  if (value === null || kept === null) return value !== kept;
  if (type.wire === 'epoch' && value instanceof Date) return value.getTime() !== kept;
  return encodedDiffers(value, kept, type);
}

function jsonDiffers(value: unknown, kept: unknown, type: ColumnType): boolean {
  if (value === null || kept === null || value === undefined) return value !== kept;
  const wire = tryEncode(type, value);
  if (wire === undefined) return true;
  if (type.wire !== 'json') return !sameScalar(wire, kept as Scalar);
  // The server may have written the text with other spaces; what counts is what it says.
  return wire !== kept && JSON.stringify(JSON.parse(wire as string)) !== JSON.stringify(JSON.parse(kept as string));
}

function encodedDiffers(value: unknown, kept: unknown, type: ColumnType): boolean {
  if (value === null || kept === null || value === undefined) return value !== kept;
  const wire = tryEncode(type, value);
  return wire === undefined || !sameScalar(wire, kept as Scalar);
}

/** Whether two wire values are the same, looking into bytes and arrays. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a === b || (a !== a && b !== b)) return true;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item: Scalar, index) => sameScalar(item, b[index] as Scalar));
}

/** The comparison of one column as text; `entity` and `baseline` are in scope, and `differs` the list of functions. */
function comparison({ key, type }: BaselineColumn, index: number, objectAt: number): string {
  const value = `entity[${quoted(key)}]`;
  const slow = `differs[${index}](${value}, baseline)`;
  if (type.compare === 'identity') {
    // Floats alone can be NaN.
    return type.wire === 'float' ? `(${value} !== baseline[${index}] && ${slow})` : `${value} !== baseline[${index}]`;
  }
  if (type.compare === 'json') return `(${value} !== baseline[${objectAt}] && ${slow})`;
  // Where nothing is decoded, the wire value is the value: a uuid, most often the very same string.
  if (type.compare === 'encoded' && type.decode === undefined) return `(${value} !== baseline[${index}] && ${slow})`;
  if (type.compare === 'time' && type.wire === 'epoch') {
    return `(${value} instanceof Date ? ${value}.getTime() !== baseline[${index}] : ${slow})`;
  }
  return slow;
}

function makeDiffers(
  columns: readonly BaselineColumn[],
  objectAt: readonly number[],
  compare: readonly Differs[],
): (entity: object, baseline: Baseline) => boolean {
  if (!canGenerate()) {
    return (entity, baseline) =>
      columns.some(({ key }, index) => (compare[index] as Differs)((entity as Record<string, unknown>)[key], baseline));
  }
  const text = columns.map((column, index) => comparison(column, index, objectAt[index] as number)).join(' || ');
  return generate(`return (entity, baseline) => ${text || 'false'};`, { differs: compare });
}

function makeWalk(columns: readonly BaselineColumn[], objectAt: readonly number[], compare: readonly Differs[]): Walk {
  if (!canGenerate()) {
    const one = makeDiffers(columns, objectAt, compare);
    return (entities, baselines, changed) => {
      entities.forEach((entity, index) => {
        if (one(entity, baselines[index] as Baseline)) changed.push(index);
      });
    };
  }
  const text = columns.map((column, index) => comparison(column, index, objectAt[index] as number)).join(' || ');
  return generate(
    `return (entities, baselines, changed) => {
      for (let i = 0; i < entities.length; i++) {
        const entity = entities[i], baseline = baselines[i];
        if (${text || 'false'}) changed.push(i);
      }
    };`,
    { differs: compare },
  );
}
