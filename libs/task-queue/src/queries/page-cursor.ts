import { createHash } from 'node:crypto';
import { INVALID_INPUT, Refused } from '@athena/operation';

/** Behind which task the next page begins. */
export interface PagePosition {
  /** Of its priority, where tasks are sorted by that; else 0. */
  readonly rank: number;
  /** When it was created or, where tasks are sorted by that, when it ended. Milliseconds. */
  readonly at: number;
  readonly taskId: string;
}

const SUM_LENGTH = 16;
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const FORM = new RegExp(`^2~(\\d)~(\\d{1,15})~(${UUID})~([A-Za-z0-9_-]{${SUM_LENGTH}})$`);

/**
 * Ties a cursor to the search it came from. Not a secret: a forged cursor could only name another
 * place in pages that the caller may read anyway.
 */
const sumOf = (search: string, place: string): string =>
  createHash('sha256').update(`${place}~${search}`).digest('base64url').slice(0, SUM_LENGTH);

const placeOf = ({ rank, at, taskId }: PagePosition): string => `2~${rank}~${at}~${taskId}`;

/** @param search the search's text form: project, filters and order */
export function encodeCursor(position: PagePosition, search: string): string {
  const place = placeOf(position);
  return Buffer.from(`${place}~${sumOf(search, place)}`).toString('base64url');
}

/** @throws Refused INVALID_INPUT where it is no cursor of this search */
export function decodeCursor(cursor: string, search: string): PagePosition {
  const [, rank, at, taskId, sum] =
    FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (taskId) {
    const position = { rank: Number(rank), at: Number(at), taskId };
    if (sum === sumOf(search, placeOf(position))) return position;
  }
  const detail = 'cursor: use the nextCursor of a page with the same filters, unchanged';
  throw Refused.because(INVALID_INPUT, detail, 'cursor');
}
