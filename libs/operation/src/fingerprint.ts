import { createHash } from 'node:crypto';

/** What makes two requests with one key the same: their checked input. */
export const fingerprintOf = (input: unknown): string =>
  createHash('sha256').update(JSON.stringify(input)).digest('base64url').slice(0, 22);
