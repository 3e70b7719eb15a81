import { RESERVED_NAMES, clientId, type KeyRecord } from '@athena/contracts';
import { agentSubject, apiSubject, type Operation } from '@athena/operation';

/** Who a NATS client says it is, by its user name. */
export type ClientName =
  | { readonly kind: 'agent'; readonly project: string; readonly agentId: string }
  | { readonly kind: 'app'; readonly project: string; readonly name: string };

/** What a client may do: exactly these subjects, and no others. */
export interface Grant {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const APP = 'app';

/**
 * Reads `<project>.<agentId>` or `<project>.app.<name>`; null for anything else: wildcards, dots,
 * spaces and reserved names included.
 */
export function parseClientName(user: string): ClientName | null {
  const parts = user.split('.');
  const [project = '', second = '', third = ''] = parts;
  const isApp = parts.length === 3 && second === APP;
  const last = isApp ? third : second;
  if (!isApp && parts.length !== 2) return null;
  if (![project, last].every((part) => clientId.safeParse(part).success)) return null;
  // An agent called `app` would hear every application's inbox.
  if ([project, last].some((name) => RESERVED_NAMES.includes(name))) return null;
  return isApp ? { kind: 'app', project, name: last } : { kind: 'agent', project, agentId: last };
}

/** What the key lets this client do; a text: why it may not connect. */
export function grantFor(
  client: ClientName,
  { project, scopes }: KeyRecord,
  operations: readonly Operation[],
): Grant | string {
  if (project !== client.project) return 'the key is of another project';
  if (client.kind === 'agent') {
    return scopes.includes('agent') ? agentGrant(client) : 'the key lacks the scope agent';
  }
  const publish = operations
    .filter((operation) => isForApps(operation) && scopes.includes(operation.scope as never))
    .map(({ name }) => apiSubject(project, name));
  if (publish.length === 0) return 'the key has no scope that lets an application do anything';
  return { publish, subscribe: [`_INBOX.${project}.${APP}.${client.name}.>`] };
}

/**
 * Managing keys needs the key itself, so that nobody hands out more than he has; over NATS only
 * the project is known. It is left to REST.
 */
export const isForApps = ({ scope }: Operation): boolean =>
  scope !== undefined && scope !== 'admin';

const agentGrant = ({ project, agentId }: { project: string; agentId: string }): Grant => ({
  publish: [agentSubject(project, agentId, '>')],
  subscribe: [`_INBOX.${project}.${agentId}.>`],
});
