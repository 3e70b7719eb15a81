import { createHash } from 'node:crypto';
import { INVALID_INPUT, Refused } from '@athena/operation';

/** Behind which task the next page begins. */
export interface PagePosition {
  /** Milliseconds. */
  readonly createdAt: number;
  readonly taskId: string;
}

const SUM_LENGTH = 16;
const FORM = /^1~(\d{1,15})~([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})~([A-Za-z0-9_-]{16})$/;

/**
 * Ties a cursor to the search it came from. Not a secret: a forged cursor could only name another
 * place in pages that the caller may read anyway.
 */
const sumOf = (search: string, createdAt: string, taskId: string): string =>
  createHash('sha256')
    .update(`${createdAt}~${taskId}~${search}`)
    .digest('base64url')
    .slice(0, SUM_LENGTH);

/** @param search the search's text form: project and filters */
export function encodeCursor({ createdAt, taskId }: PagePosition, search: string): string {
  const sum = sumOf(search, String(createdAt), taskId);
  return Buffer.from(`1~${createdAt}~${taskId}~${sum}`).toString('base64url');
}

/** @throws Refused INVALID_INPUT where it is no cursor of this search */
export function decodeCursor(cursor: string, search: string): PagePosition {
  const [, createdAt, taskId, sum] =
    FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (createdAt && taskId && sum === sumOf(search, createdAt, taskId)) {
    return { createdAt: Number(createdAt), taskId };
  }
  const detail = 'cursor: use the nextCursor of a page with the same filters, unchanged';
  throw Refused.because(INVALID_INPUT, detail, 'cursor');
}
