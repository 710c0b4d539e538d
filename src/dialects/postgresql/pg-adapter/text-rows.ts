// Rows of texts, as node-postgres cuts them, into the forms a statement asked for. Its own type parsers are never asked.
import type { Scalar, StatementText } from '../../../driver/driver.ts';
import { chooseDecoder } from '../wire/choose-decoder.ts';
import type { Column } from '../wire/description.ts';
import { violation } from '../wire/protocol.ts';
import { located } from '../wire/row-decoder.ts';
import type { PgMessage } from './pg-module.ts';

export type TextRowDecoder = (message: PgMessage) => Scalar[];

interface PgField {
  readonly name: string;
  readonly dataTypeID: number;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
}

/** The columns of a `rowDescription`. */
export function columnsOf(message: PgMessage): readonly Column[] {
  const fields = message['fields'] as readonly PgField[];
  return Object.freeze(fields.map((field) => Object.freeze(columnOf(field))));
}

function columnOf(field: PgField): Column {
  return {
    name: field.name,
    type: field.dataTypeID,
    tableId: field.tableID,
    columnNumber: field.columnID,
    size: field.dataTypeSize,
    modifier: field.dataTypeModifier,
  };
}

function makeDecoder(columns: readonly Column[], text: StatementText): TextRowDecoder {
  const parsers = columns.map(
    ({ type }, i) => chooseDecoder(type, text.results?.[i], false).parse ?? ((value: string) => value),
  );
  return (message) => {
    const fields = message['fields'] as readonly (string | null)[];
    if (fields.length !== parsers.length) violation('a row with another number of fields than described');
    return fields.map((value, i) => {
      if (value === null) return null;
      try {
        return (parsers[i] as (value: string) => Scalar)(value);
      } catch (error) {
        throw located(error, columns[i]?.name ?? String(i));
      }
    });
  };
}

/** Decoders by what a server said of a statement and what its text asks for: both are kept, so are these. */
const made = new WeakMap<readonly Column[], WeakMap<StatementText, TextRowDecoder>>();

/** The decoder of a statement's rows. */
export function textRows(columns: readonly Column[], text: StatementText): TextRowDecoder {
  let byText = made.get(columns);
  if (byText === undefined) made.set(columns, (byText = new WeakMap()));
  let decoder = byText.get(text);
  if (decoder === undefined) byText.set(text, (decoder = makeDecoder(columns, text)));
  return decoder;
}
