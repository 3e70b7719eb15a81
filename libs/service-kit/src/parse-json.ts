import { limits } from '@athena/contracts';
import { INVALID_INPUT, PAYLOAD_TOO_LARGE, Refused } from '@athena/operation';

/** Levels that a request's own frame may add around a value of JSON_DEPTH_MAX levels. */
const FRAME_DEPTH = 8;
/** A text without any of these can't hold what `check` looks for beside depth. */
const SUSPICIOUS = ['\\u', '\0', '__proto__', 'prototype'];
/** Lone surrogates and NUL: UTF-8 can't hold the ones, Postgres the other. */
const UNSTORABLE = /\p{Surrogate}|\0/u;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses what came from outside. Size, UTF-8, JSON, depth, texts and numbers that can't be stored
 * and keys that reach for prototypes are checked. No bytes mean `{}`. Of a key given twice the last
 * counts.
 * @throws Refused INVALID_INPUT, PAYLOAD_TOO_LARGE
 */
export function parseJson(bytes: Uint8Array, bytesMax = limits.REQUEST_BYTES_MAX): unknown {
  if (bytes.length > bytesMax) {
    throw Refused.because(PAYLOAD_TOO_LARGE, `a request may hold ${bytesMax} bytes`);
  }
  if (bytes.length === 0) return {};
  const text = decoded(bytes);
  const value = parsed(text);
  check(value, {
    left: limits.JSON_DEPTH_MAX + FRAME_DEPTH,
    suspicious: SUSPICIOUS.some((part) => text.includes(part)),
  });
  return value;
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid('the request is not UTF-8');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('the request is not JSON');
  }
}

interface Watch {
  readonly left: number;
  readonly suspicious: boolean;
}

/** Recursion ends with the depth that is left. */
function check(value: unknown, { left, suspicious }: Watch): void {
  if (suspicious && typeof value === 'string') checkText(value);
  // JSON.parse makes infinity of 1e400, and JSON.stringify would store that as null.
  if (value === Infinity || value === -Infinity) throw invalid('a number is too large');
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) throw invalid(`JSON may be nested at most ${limits.JSON_DEPTH_MAX} deep`);
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (suspicious) checkKey(key, inner);
    check(inner, { left: left - 1, suspicious });
  }
}

function checkText(text: string): void {
  if (UNSTORABLE.test(text)) throw invalid('texts may hold neither NUL nor lone surrogates');
}

function checkKey(key: string, inner: unknown): void {
  checkText(key);
  const reaches =
    key === 'constructor' &&
    typeof inner === 'object' &&
    inner !== null &&
    Object.hasOwn(inner, 'prototype');
  if (key === '__proto__' || reaches) throw invalid(`the key ${key} is not allowed in JSON`);
}

const invalid = (detail: string): Refused => Refused.because(INVALID_INPUT, detail);
