import { INVALID_INPUT, Refused } from '@athena/operation';

/** A place between events: behind event `idx` of commit `seq`. */
export interface Position {
  readonly seq: number;
  readonly idx: number;
}

/** Behind the last event of any commit. */
export const WHOLE_COMMIT = 2 ** 31 - 1;
const FORM = /^(0|[1-9]\d{0,14})(?:\.(0|[1-9]\d{0,5}))?$/;

/** `12.3`, or `12` for behind the whole of commit 12; what task.events calls positions too. */
export const positionText = ({ seq, idx }: Position): string =>
  idx === WHOLE_COMMIT ? String(seq) : `${seq}.${idx}`;

/** @throws Refused INVALID_INPUT where it is none of ours */
export function parsePosition(text: string): Position {
  const [, seq, idx] = FORM.exec(text) ?? [];
  if (seq === undefined) throw badPosition('use a position or nextAfter of an answer, unchanged');
  return { seq: Number(seq), idx: idx === undefined ? WHOLE_COMMIT : Number(idx) };
}

export const badPosition = (why: string): Refused =>
  Refused.because(INVALID_INPUT, `after: ${why}`, 'after');
