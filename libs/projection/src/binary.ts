import type { ColumnType } from './projection.js';

/** Types that have a binary form here; arrays travel as their text. */
export type ScalarType = Exclude<ColumnType, 'text[]'>;

const OIDS: Readonly<Record<ScalarType, number>> = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int4: 23,
  text: 25,
  json: 114,
  float8: 701,
  timestamptz: 1184,
  uuid: 2950,
  jsonb: 3802,
};

/** Postgres counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const MICROSECONDS = 1_000;
const TWO_TO_32 = 2 ** 32;
const NULL_LENGTH = -1;
const JSONB_VERSION = 1;
const UTF8_BYTES_PER_UNIT_MAX = 3;
const FIRST_BYTES = 4_096;
/** A guess at what a value takes; the buffer grows where it takes more. */
const BYTES_PER_VALUE = 16;
const LOWER_BOUND = 1;
const SHORT_TEXT = 48;
const ASCII_MAX = 0x7f;

/**
 * Writes values in Postgres' binary form: no escaping here, no parsing there. Used for array
 * parameters and for COPY.
 */
export class BinaryWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(bytes = FIRST_BYTES) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written; the writer is not used any more. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#buffer[this.#at++] = value >>> 8;
    this.#buffer[this.#at++] = value;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#at = put32(this.#buffer, value, this.#at);
  }

  /** A value with its length before it, as arrays' elements and COPY's fields have it. */
  field(type: ScalarType, value: unknown): void {
    if (value === null || value === undefined) return this.int32(NULL_LENGTH);
    switch (type) {
      case 'text':
        return this.#text(storable(value as string));
      case 'json':
        return this.#text(JSON.stringify(value));
      case 'jsonb':
        return this.#text(storableJson(JSON.stringify(value)), JSONB_VERSION);
      case 'uuid':
        return this.#uuid(value as string);
      case 'bytea':
        this.int32((value as Buffer).length);
        return this.raw(value as Buffer);
      case 'bool':
        this.int32(1);
        return this.raw(value === true ? TRUE : FALSE);
      case 'int4':
        this.int32(4);
        return this.int32(int4(value));
      case 'int8':
        return this.#int8(integer(type, value));
      case 'float8':
        this.int32(8);
        this.#reserve(8);
        this.#at = this.#buffer.writeDoubleBE(numeric(type, value), this.#at);
        return;
      case 'timestamptz':
        return this.#int8((integer(type, value) - POSTGRES_EPOCH_MS) * MICROSECONDS);
      default:
        return type satisfies never;
    }
  }

  /** A field whose bytes are JSON text already. */
  jsonText(text: string): void {
    this.#text(text);
  }

  #text(value: string, version?: number): void {
    this.#reserve(value.length * UTF8_BYTES_PER_UNIT_MAX + 5);
    const start = this.#at + 4;
    let end = start;
    if (version !== undefined) this.#buffer[end++] = version;
    end = writeText(this.#buffer, value, end);
    put32(this.#buffer, end - start, this.#at);
    this.#at = end;
  }

  #uuid(value: string): void {
    this.int32(16);
    this.#reserve(16);
    const written = this.#buffer.write(value.replaceAll('-', ''), this.#at, 16, 'hex');
    if (written !== 16) throw new TypeError(`not a UUID: ${JSON.stringify(value)}`);
    this.#at += 16;
  }

  #int8(value: number): void {
    this.int32(8);
    // Two's complement in two halves; exact for every integer that a number holds.
    this.int32(Math.floor(value / TWO_TO_32));
    this.int32(value >>> 0);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

/** Byte by byte: the checks of Buffer's own methods would cost more than the writing. */
function put32(buffer: Buffer, value: number, at: number): number {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
  return at + 4;
}

/** Short ASCII, as most of our texts are, is written here; anything else by Buffer. */
function writeText(buffer: Buffer, value: string, from: number): number {
  const { length } = value;
  if (length <= SHORT_TEXT) {
    let at = from;
    for (let n = 0; n < length; n++) {
      const unit = value.charCodeAt(n);
      if (unit > ASCII_MAX) return from + buffer.write(value, from, 'utf8');
      buffer[at++] = unit;
    }
    return at;
  }
  return from + buffer.write(value, from, 'utf8');
}

const TRUE = Uint8Array.of(1);
const FALSE = Uint8Array.of(0);

function numeric(type: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TypeError(`a ${type} column takes a number, not ${JSON.stringify(value)}`);
}

function integer(type: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new TypeError(`a ${type} column takes a whole number, not ${JSON.stringify(value)}`);
}

function int4(value: unknown): number {
  const whole = integer('int4', value);
  if (whole === (whole | 0)) return whole;
  throw new TypeError(`an int4 column can't hold ${whole}`);
}

/** Postgres' text can't hold NUL. The event in the log and in the archive still has it. */
const storable = (text: string): string =>
  text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;

/** Escapes that jsonb refuses: NUL and lone surrogates (JSON.stringify escapes only lone ones). */
const UNSTORABLE = /\\(\\|u0000|ud[89a-f][0-9a-f]{2})/g;
const storableJson = (text: string): string =>
  text.includes('\\u')
    ? text.replace(UNSTORABLE, (escape) => (escape === '\\\\' ? escape : '\\ufffd'))
    : text;

/** One parameter that holds a whole column: a one-dimensional array. */
export const binaryArray = (type: ScalarType, values: readonly unknown[]): Buffer =>
  arrayOf(OIDS[type], values, (writer, value) => writer.field(type, value));

/** The same for a `json` column whose values are JSON text already. */
export const binaryJsonTexts = (texts: readonly string[]): Buffer =>
  arrayOf(OIDS.json, texts, (writer, text) => writer.jsonText(text));

function arrayOf<T>(
  oid: number,
  values: readonly T[],
  write: (writer: BinaryWriter, value: T) => void,
): Buffer {
  const writer = new BinaryWriter(FIRST_BYTES + values.length * BYTES_PER_VALUE);
  const nulls = values.some((value) => value === null || value === undefined);
  writer.int32(values.length === 0 ? 0 : 1);
  writer.int32(nulls ? 1 : 0);
  writer.int32(oid);
  if (values.length > 0) {
    writer.int32(values.length);
    writer.int32(LOWER_BOUND);
    for (const value of values) write(writer, value);
  }
  return writer.bytes();
}

/** `{"a","b"}`: the text form of an array, for a `text[]` column inside a bulk statement. */
export const arrayLiteral = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
