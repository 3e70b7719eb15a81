import type { HttpBinding, Operation } from '@athena/operation';
import { clientError } from '../errors.js';

export interface HttpRequest {
  readonly method: HttpBinding['method'];
  /** Path and query, to be put behind the gateway's address. */
  readonly path: string;
  readonly body: string | undefined;
}

type Fields = Record<string, unknown>;

/** An operation's input as its HTTP binding spreads it over path, query and body. */
export function httpRequest(operation: Operation, input: unknown): HttpRequest {
  const binding = operation.http;
  if (!binding) {
    throw clientError(
      'NOT_PERMITTED',
      `${operation.name} has no HTTP form; it is for agents over NATS`,
    );
  }
  const rest: Fields = { ...(input as Fields) };
  const path = binding.path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = rest[name];
    delete rest[name];
    if (value === undefined) {
      throw clientError('INVALID_INPUT', `${operation.name} needs ${name}`, { field: name });
    }
    return pathSegment(name, textOf(value));
  });
  if (binding.method === 'POST' || binding.method === 'PUT') {
    return { method: binding.method, path, body: JSON.stringify(rest) };
  }
  const query = queryString(rest, binding.query ?? {});
  return { method: binding.method, path: query ? `${path}?${query}` : path, body: undefined };
}

/** An empty segment or one of dots would make the path another one. */
function pathSegment(name: string, text: string): string {
  if (/^\.{0,2}$/.test(text)) {
    throw clientError('INVALID_INPUT', `${name}: can’t be "${text}"`, { field: name });
  }
  return encodeURIComponent(text);
}

/** `renamed` maps query names to input fields; arrays become repeated names. */
function queryString(fields: Fields, renamed: Readonly<Record<string, string>>): string {
  const queryNames = new Map(Object.entries(renamed).map(([query, field]) => [field, query]));
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const name = queryNames.get(field) ?? field;
    for (const single of Array.isArray(value) ? value : [value]) query.append(name, textOf(single));
  }
  return query.toString();
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
