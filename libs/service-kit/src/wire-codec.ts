import type { WireAnswer, WireCommand } from '@athena/operation';

/*
 * Our own processes' messages as bytes. An item is turned into text once and the message is put
 * together from texts, so that its size is known while it is being filled and a repeat costs
 * nothing. A reply may come in parts: then `at` gives the places of the items that it holds.
 */

export interface ReplyPart {
  readonly epoch?: number;
  /** Places in the request of `items`; absent: all of them, in order. */
  readonly at?: readonly number[];
  readonly items: readonly WireAnswer[];
}

/** One reply message carries at most this much, unless a single answer is larger. */
export const REPLY_BYTES_MAX = 768 * 1024;
/** One item of a request and one answer; the broker's limit (max_payload 2 MB) is beyond both. */
export const ITEM_BYTES_MAX = 1_500 * 1024;

export const encodeRequest = (items: readonly string[]): Uint8Array =>
  Buffer.from(`{"items":[${items.join(',')}]}`);

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** The items of a request, or null where the bytes are not one. */
export function decodeRequest(bytes: Uint8Array): readonly WireCommand[] | null {
  try {
    const { items } = JSON.parse(text(bytes)) as { items: unknown };
    return Array.isArray(items) && items.length > 0 && items.every(isCommand) ? items : null;
  } catch {
    return null;
  }
}

function isCommand(item: unknown): item is WireCommand {
  if (typeof item !== 'object' || item === null) return false;
  const { id, op, project, actor } = item as Record<string, unknown>;
  return [id, op, project, actor].every((field) => typeof field === 'string');
}

export function decodeReply(bytes: Uint8Array): ReplyPart | null {
  try {
    const part = JSON.parse(text(bytes)) as ReplyPart;
    return Array.isArray(part.items) ? part : null;
  } catch {
    return null;
  }
}

/** One part of a reply, from answers that are text already. */
export function encodeReplyPart(
  epoch: number | undefined,
  at: readonly number[] | null,
  answers: readonly string[],
): Uint8Array {
  const head = epoch === undefined ? '' : `"epoch":${epoch},`;
  const places = at === null ? '' : `"at":[${at.join(',')}],`;
  return Buffer.from(`{${head}${places}"items":[${answers.join(',')}]}`);
}
