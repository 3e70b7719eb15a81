import { NonRetryable } from '@athena/sdk';

/**
 * What a command reads: all of the content as JSON, or one field of it, a text as it is.
 * @throws NonRetryable if there is no such field: another try would end the same way
 */
export function stdinOf(content: unknown, field: string | undefined): string {
  if (field === undefined) return `${JSON.stringify(content)}\n`;
  const fields = new Map(Object.entries(typeof content === 'object' ? (content ?? {}) : {}));
  if (!fields.has(field)) {
    const error = new NonRetryable(`the content has no field ${field}`, { code: 'INVALID_INPUT' });
    delete error.stack;
    throw error;
  }
  const value: unknown = fields.get(field);
  return typeof value === 'string' ? value : `${JSON.stringify(value)}\n`;
}
