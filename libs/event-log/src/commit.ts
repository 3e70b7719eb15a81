import { createHash } from 'node:crypto';
import type { NewEvent } from '@athena/operation';
import type { Seq } from './port.js';

/**
 * A commit is one message of the log: everything that one batch of decisions yielded, atomic.
 * On the wire: a header line, then one line per event (newline-delimited JSON), so that readers
 * can store an event's text as it stands. `prev` is the SHA-256 of the partition's message before:
 * the hash chain. `rev` counts the partition's commits from 1.
 */
export interface CommitHeader {
  readonly athena: 1;
  readonly partition: string;
  readonly epoch: number;
  readonly rev: number;
  /** ISO 8601, milliseconds. The one instant at which the whole batch was decided. */
  readonly at: string;
  readonly prev: string;
  readonly count: number;
}

/** An event as it stands in the log. */
export interface LoggedEvent extends NewEvent {
  /** Who caused it: `key:<keyId>`, `agent:<agentId>`, `system:<service>`. */
  readonly actor?: string;
  /** The command's id, where repeats are recognised by it. */
  readonly command?: string;
  /** Ties together what one request caused. */
  readonly correlation?: string;
}

export interface Commit {
  readonly seq: Seq;
  readonly subject: string;
  readonly header: CommitHeader;
  /** `header.at` in milliseconds. */
  readonly at: number;
  readonly hash: string;
  readonly bytes: number;
  readonly events: readonly LoggedEvent[];
  /** `lines[i]` is the text of `events[i]`, as stored. */
  readonly lines: readonly string[];
}

export const COMMIT_BYTES_MAX = 768 * 1024;
export const FIRST_PREV = '0'.repeat(64);

const SUBJECT_PREFIX = 'athena.evt.';

/** `task.0` → `athena.evt.task.0`. */
export const subjectOf = (partition: string): string => SUBJECT_PREFIX + partition;
export const partitionOf = (subject: string): string => subject.slice(SUBJECT_PREFIX.length);

export const hashOf = (payload: Uint8Array): string =>
  createHash('sha256').update(payload).digest('hex');

export function encodeCommit(header: CommitHeader, lines: readonly string[]): Uint8Array {
  return Buffer.from(`${JSON.stringify(header)}\n${lines.join('\n')}`);
}

/** Parses a message. Throws where it is not a commit of ours. */
export function decodeCommit(seq: Seq, subject: string, payload: Uint8Array): Commit {
  const [first = '', ...lines] = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .split('\n');
  const header = JSON.parse(first) as CommitHeader;
  if (header.athena !== 1 || header.count !== lines.length) {
    throw new Error(`message ${seq} on ${subject} is not a commit of a known version`);
  }
  return {
    seq,
    subject,
    header,
    at: Date.parse(header.at),
    hash: hashOf(payload),
    bytes: payload.byteLength,
    events: lines.map((line) => JSON.parse(line) as LoggedEvent),
    lines,
  };
}
