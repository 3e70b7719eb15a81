import type { WireAnswer, WireCommand, WireRequest } from '@athena/operation';

/*
 * Our own processes' messages as bytes. An item is turned into text once and the message is put
 * together from texts, so that its size is known while it is being filled and a repeat costs
 * nothing. A reply may come in parts: then `at` gives the places of the items that it holds.
 */

export interface ReplyHead {
  readonly protocol?: number;
  readonly epoch?: number;
}

export interface ReplyPart extends ReplyHead {
  /** Places in the request of `items`; absent: all of them, in order. */
  readonly at?: readonly number[];
  readonly items: readonly WireAnswer[];
}

/** One reply message carries at most this much, unless a single answer is larger. */
export const REPLY_BYTES_MAX = 768 * 1024;
/** One item of a request and one answer; the broker's limit (max_payload 2 MB) is beyond both. */
export const ITEM_BYTES_MAX = 1_500 * 1024;

export const encodeRequest = (protocol: number, items: readonly string[]): Uint8Array =>
  Buffer.from(`{"protocol":${protocol},"items":[${items.join(',')}]}`);

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** What was read of a request; `items` is null where it is none that this process understands. */
export interface ReadRequest {
  readonly protocol: number | undefined;
  readonly items: readonly WireCommand[] | null;
}

export function decodeRequest(bytes: Uint8Array): ReadRequest {
  try {
    const { protocol, items } = JSON.parse(text(bytes)) as WireRequest;
    const readable = Array.isArray(items) && items.length > 0 && items.every(isCommand);
    return { protocol, items: readable ? items : null };
  } catch {
    return { protocol: undefined, items: null };
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
    return Array.isArray(part.items) ? part : { ...part, items: [] };
  } catch {
    return null;
  }
}

/** One part of a reply, from answers that are text already. */
export function encodeReplyPart(
  { protocol, epoch }: ReplyHead,
  at: readonly number[] | null,
  answers: readonly string[],
): Uint8Array {
  const spoken = protocol === undefined ? '' : `"protocol":${protocol},`;
  const head = epoch === undefined ? spoken : `${spoken}"epoch":${epoch},`;
  const places = at === null ? '' : `"at":[${at.join(',')}],`;
  return Buffer.from(`{${head}${places}"items":[${answers.join(',')}]}`);
}
