import { z } from 'zod';
import * as limits from './limits.js';

/** Ids that clients choose: agents, kinds, projects, batches, keys. */
export const clientId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'use 1–128 of A–Z a–z 0–9 _ -')
  .max(limits.CLIENT_ID_LENGTH_MAX);

/** Names that Athena keeps for itself. */
export const RESERVED_NAMES: readonly string[] = ['system', 'app'];

/** The id of an agent that joins. */
export const newAgentId = clientId.refine((id) => !RESERVED_NAMES.includes(id), {
  message: `the names ${RESERVED_NAMES.join(' and ')} are kept for Athena itself`,
});

export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'use a UUID');

/** Names of task types and capabilities: one line, no control characters. */
export const label = z
  .string()
  .min(1)
  .max(limits.NAME_LENGTH_MAX)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/+#@-]*$/u, 'use letters, digits and ._:/+#@- in one line');

export const text = z.string().max(limits.TEXT_LENGTH_MAX);

const depthOf = (value: unknown, left: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (left > 0 && Object.values(value).every((inner) => depthOf(inner, left - 1)));

/** One line of visible text, as searches take it. */
export const printable = (lengthMax: number): z.ZodString =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'may hold no control characters');

/** A value, or a list of such; which of them is meant is for the reader to flatten. */
export const oneOrMore = <T extends z.ZodType>(
  schema: T,
  itemsMax: number,
): z.ZodUnion<[T, z.ZodArray<T>]> => z.union([schema, z.array(schema).min(1).max(itemsMax)]);

/** Any JSON value up to a size and to JSON_DEPTH_MAX levels. */
export const json = (bytesMax: number): z.ZodType<unknown> =>
  z.unknown().check((context) => {
    const { value } = context;
    const fail = (message: string): void =>
      void context.issues.push({ code: 'custom', message, input: value });
    if (value === undefined) return;
    if (!depthOf(value, limits.JSON_DEPTH_MAX)) {
      return fail(`may be nested at most ${limits.JSON_DEPTH_MAX} deep`);
    }
    if (Buffer.byteLength(JSON.stringify(value) ?? '') > bytesMax) {
      fail(`may hold at most ${bytesMax} bytes as JSON`);
    }
  });

export const metadata = z
  .record(z.string().min(1).max(limits.NAME_LENGTH_MAX), z.unknown())
  .and(json(limits.METADATA_BYTES_MAX) as z.ZodType<Record<string, unknown>>);

/** An instant, ISO 8601 with a zone. */
export const instant = z.iso.datetime({ offset: true });

export const count = z.int().min(0);

export const page = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(limits.PAGE_LIMIT_MAX)
    .default(limits.PAGE_LIMIT_DEFAULT),
  cursor: z.string().max(1_000).optional(),
  /** Read not before the projection has reached this position. */
  minSeq: z.coerce.number().int().min(0).optional(),
};

/** Percentiles in milliseconds; null where nothing was measured. */
export const percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
