// A statement the server has parsed, or is about to. From the second run on its types are known: then each parameter
// and column travels in its cheapest format. The plan for that is made once per compiled text.
import type { StatementText } from '../../../driver/driver.ts';
import { chooseDecoder } from './choose-decoder.ts';
import { type Column, readColumns, readParameterTypes } from './description.ts';
import type { Frame } from './frame.ts';
import { BACKEND } from './protocol.ts';
import type { Slot } from './parameters.ts';
import { closureDecoder, rowDecoder, type RowDecoder } from './row-decoder.ts';
import type { ValueDecoder } from './value-decoder.ts';

/** How to send one text's parameters and read its rows. */
export interface Plan {
  readonly slots: readonly Slot[];
  /** The result format part of Bind. */
  readonly formats: Buffer;
  /** Absent until the columns are known, and for statements without rows. */
  readonly decode: RowDecoder | undefined;
}

const ALL_TEXT = Buffer.from([0, 0]);

/** The plan for a first run: everything as text. */
export function firstPlan(text: StatementText): Plan {
  return { slots: text.params.map((kind) => ({ type: 0, kind })), formats: ALL_TEXT, decode: undefined };
}

/** The decoders of a first run, known when the columns have been described. */
export function firstDecoders(text: StatementText, columns: readonly Column[]): readonly ValueDecoder[] {
  return columns.map((column, i) => chooseDecoder(column.type, text.results?.[i], false));
}

/** The decoder for a first run. */
export function firstDecoder(text: StatementText, columns: readonly Column[]): RowDecoder {
  return closureDecoder(
    firstDecoders(text, columns),
    columns.map((column) => column.name),
  );
}

function formatsOf(binary: readonly boolean[]): Buffer {
  if (!binary.includes(true)) return ALL_TEXT;
  if (!binary.includes(false)) return Buffer.from([0, 1, 0, 1]);
  const bytes = Buffer.alloc(2 + binary.length * 2);
  bytes.writeUInt16BE(binary.length);
  binary.forEach((one, i) => bytes.writeUInt16BE(one ? 1 : 0, 2 + i * 2));
  return bytes;
}

export class PreparedStatement {
  readonly sql: string;
  /** Empty for one that lives for one run only. */
  readonly name: string;
  /** Portal and statement name, as Bind begins. */
  readonly head: Buffer;
  parameterTypes: readonly number[] = [];
  /** Undefined for a statement that returns no rows. */
  columns: readonly Column[] | undefined;
  /** Whether the server has confirmed and described it. */
  ready = false;
  /** When it was last used, counted in uses. */
  used = 0;
  #lastText: StatementText | undefined;
  #lastPlan: Plan | undefined;
  readonly #plans = new WeakMap<StatementText, Plan>();

  constructor(sql: string, name: string) {
    this.sql = sql;
    this.name = name;
    this.head = Buffer.from(`\0${name}\0`);
  }

  /** Takes the server's description: parameters first, then the columns or that there are none. */
  learn(frame: Frame): void {
    if (frame.type === BACKEND.parameterDescription) {
      this.parameterTypes = readParameterTypes(frame);
      return;
    }
    if (frame.type === BACKEND.rowDescription) this.columns = readColumns(frame);
    this.ready = true;
  }

  /** How to run it for `text`, once it is ready. */
  plan(text: StatementText): Plan {
    if (this.#lastPlan !== undefined && this.#lastText === text) return this.#lastPlan;
    let plan = this.#plans.get(text);
    if (plan === undefined) {
      plan = this.#makePlan(text);
      this.#plans.set(text, plan);
    }
    this.#lastText = text;
    this.#lastPlan = plan;
    return plan;
  }

  #makePlan(text: StatementText): Plan {
    const slots = this.parameterTypes.map((type, i) => ({ type, kind: text.params[i] }));
    if (this.columns === undefined) return { slots, formats: ALL_TEXT, decode: undefined };
    const decoders = this.columns.map((column, i) => chooseDecoder(column.type, text.results?.[i], true));
    const names = this.columns.map((column) => column.name);
    return {
      slots,
      formats: formatsOf(decoders.map((decoder) => decoder.binary)),
      decode: rowDecoder(decoders, names),
    };
  }
}
