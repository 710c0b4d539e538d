// An error that crosses to another process or thread loses its class on every channel Node has. Here it becomes a
// plain record that any channel carries, JSON included, and is rebuilt on the other side as the class it was: athanor's
// own by their stable code, the language's by their name.
import { AthanorError } from './athanor-error.ts';
import * as database from './database.ts';
import * as orm from './orm.ts';
import * as pool from './pool.ts';
import * as processErrors from './process.ts';
import * as usage from './usage.ts';
import * as waiting from './waiting.ts';

/** A value every channel carries unchanged. */
export type PlainData = null | boolean | number | string | readonly PlainData[] | { readonly [key: string]: PlainData };

/** An error as plain data. What was thrown and is no error travels in `thrown`. */
export interface SerializedError {
  readonly athanor: 'error';
  /** The class to rebuild: a code of athanor's, the name of a standard class, or `undefined` for a value that was thrown. */
  readonly kind: string | undefined;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Own properties, as far as they are plain data. */
  readonly fields: { readonly [key: string]: PlainData };
  readonly cause?: SerializedError;
  /** Of an AggregateError. */
  readonly errors?: readonly SerializedError[];
  readonly thrown?: PlainData;
}

const MAX_CAUSES = 8;
const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;
/** Carried as properties of the record itself, or kept at home: the last three may hold values. */
const NOT_FIELDS: ReadonlySet<string> = new Set([
  ...['name', 'message', 'stack', 'cause', 'errors'],
  ...['sql', 'params', 'serverDetail'],
]);

interface ErrorClass {
  readonly prototype: Error;
}
const STANDARD: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map((standard) => [
    standard.name,
    standard,
  ]),
);

/** Makes the record of whatever was thrown. Never throws; values that are not plain data are left out. */
export function serializeError(error: unknown): SerializedError {
  return serialize(error, MAX_CAUSES);
}

/** Rebuilds what `serializeError` was given. A record that is malformed gives an `Error` that says so. */
export function deserializeError(record: unknown): unknown {
  return deserialize(record, MAX_CAUSES);
}

function serialize(error: unknown, causes: number): SerializedError {
  if (!(error instanceof Error)) return thrownValue(error);
  const cause = causes > 0 ? dataProperty(error, 'cause') : undefined;
  const errors = causes > 0 && error instanceof AggregateError ? dataProperty(error, 'errors') : undefined;
  return {
    athanor: 'error',
    kind: kindOf(error),
    name: text(error.name),
    message: text(error.message),
    ...(typeof error.stack === 'string' ? { stack: error.stack } : {}),
    fields: plainFields(error),
    ...(cause === undefined ? {} : { cause: serialize(cause, causes - 1) }),
    ...(Array.isArray(errors)
      ? { errors: errors.slice(0, MAX_ENTRIES).map((entry) => serialize(entry, causes - 1)) }
      : {}),
  };
}

function thrownValue(value: unknown): SerializedError {
  const plain = plainData(value, MAX_DEPTH);
  const thrown = plain === undefined ? describe(value) : plain;
  return { athanor: 'error', kind: undefined, name: 'thrown', message: '', fields: {}, thrown };
}

function kindOf(error: Error): string {
  if (error instanceof AthanorError) return error.code;
  if (error instanceof DOMException) return 'DOMException';
  for (let proto: unknown = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    for (const [name, standard] of STANDARD) if (standard.prototype === proto) return name;
  }
  return 'Error';
}

function plainFields(error: Error): Record<string, PlainData> {
  const fields: Record<string, PlainData> = {};
  for (const key of Object.getOwnPropertyNames(error)) {
    if (NOT_FIELDS.has(key)) continue;
    const value = plainData(dataProperty(error, key), MAX_DEPTH);
    if (value !== undefined) show(fields, key, value);
  }
  return fields;
}

/** The value as data of its own, or `undefined` where it is not plain through and through. */
function plainData(value: unknown, depth: number): PlainData | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || depth === 0) return undefined;
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ENTRIES).map((item: unknown) => plainData(item, depth - 1));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) return undefined;
  const copy: Record<string, PlainData> = {};
  for (const key of Object.keys(value).slice(0, MAX_ENTRIES)) {
    const entry = dataProperty(value, key);
    if (entry === undefined) continue;
    const plain = plainData(entry, depth - 1);
    if (plain === undefined) return undefined;
    show(copy, key, plain);
  }
  return copy;
}

function deserialize(record: unknown, causes: number): unknown {
  if (!isRecord(record)) return new Error('An error arrived that is not in the form athanor sends.');
  if (record.kind === undefined || record.kind === null) return record.thrown;
  const error = blank(record);
  if (record.name !== error.name) hide(error, 'name', record.name);
  if (record.stack !== undefined) hide(error, 'stack', record.stack);
  const hidden = athanorClasses().get(record.kind) !== undefined ? HIDDEN_FIELDS : NO_FIELDS;
  for (const [key, value] of Object.entries(record.fields)) {
    if (error instanceof DOMException && key === 'code') continue;
    (hidden.has(key) ? hide : show)(error, key, value);
  }
  if (record.cause !== undefined && causes > 0) hide(error, 'cause', deserialize(record.cause, causes - 1));
  return error;
}

const NO_FIELDS: ReadonlySet<string> = new Set();
const HIDDEN_FIELDS: ReadonlySet<string> = new Set(['statementIndex']);

/** A native error, so that `structuredClone`, debuggers and `Error.isError` know it, under the prototype of its class. */
function blank(record: SerializedError): Error {
  if (record.kind === 'DOMException') return new DOMException(record.message, record.name);
  if (record.kind === 'AggregateError') {
    return new AggregateError(
      (record.errors ?? []).map((entry) => deserialize(entry, 1)),
      record.message,
    );
  }
  const error = new Error(record.message);
  const found = athanorClasses().get(record.kind ?? '') ?? STANDARD.get(record.kind ?? '');
  if (found !== undefined) Object.setPrototypeOf(error, found.prototype);
  return error;
}

let classes: ReadonlyMap<string, ErrorClass> | undefined;
/** Every class by its code. The code is an instance field, so one of each is made, once, when first needed. */
function athanorClasses(): ReadonlyMap<string, ErrorClass> {
  if (classes !== undefined) return classes;
  const found = new Map<string, ErrorClass>();
  for (const layer of [database, orm, pool, processErrors, usage, waiting]) {
    for (const exported of Object.values(layer) as unknown[]) {
      if (typeof exported !== 'function' || !(exported.prototype instanceof AthanorError)) continue;
      const ErrorType = exported as unknown as new (message: string) => AthanorError;
      found.set(new ErrorType('').code, ErrorType);
    }
  }
  classes = found;
  return found;
}

function isRecord(value: unknown): value is SerializedError {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<SerializedError>;
  return (
    record.athanor === 'error' &&
    typeof record.name === 'string' &&
    typeof record.message === 'string' &&
    typeof record.fields === 'object' &&
    record.fields !== null
  );
}

/** An own data property: getters are not run, for they may do anything. */
function dataProperty(target: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(target, key)?.value;
}

/** Sets a property whatever its name is, also `__proto__`. */
function show(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : describe(value);
}

function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
