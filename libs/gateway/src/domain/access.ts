import {
  KEY_NOT_FOUND,
  PROJECT_NOT_FOUND,
  RESERVED_NAME,
  TOO_MANY_KEYS,
  TOO_MANY_PROJECTS,
  accessEvents,
  keyIssued,
  keyRevoked,
  projectCreated,
  scope,
  type AccessEvent,
} from '@athena/contracts';
import type { Command, DecideContext, Decider, Decision } from '@athena/event-log';
import {
  FORBIDDEN,
  INVALID_INPUT,
  UNKNOWN_OPERATION,
  refuse,
  type Input,
  type RefusalDefinition,
} from '@athena/operation';
import { bootstrap, endKey, issueKey, openProject, projectKeys } from './access-operations.js';
import {
  evolveAccess,
  initialAccess,
  isActive,
  keyRecordOf,
  reindexAccess,
  type AccessState,
  type KeyRow,
} from './access-state.js';

/** Its admins may make projects, and keys for every project. */
export const DEFAULT_PROJECT = 'default';
export const BOOTSTRAP_KEY_NAME = 'bootstrap';
/** The actor of what gateways do by themselves. */
export const GATEWAY_ACTOR = 'system:gateway';
/** Lists of keys are answered whole, so a project's keys must fit one answer. */
export const KEYS_PER_PROJECT_MAX = 1_000;
export const PROJECTS_MAX = 10_000;
const RESERVED_PROJECTS = new Set(['system']);
const STATE_VERSION = 1;

/** The state machine of partition `access.0`: who may do what, in which project. */
export const accessDecider: Decider<AccessState> = {
  version: STATE_VERSION,
  events: accessEvents,
  initial: initialAccess,
  decide,
  evolve: evolveAccess,
  tables: ({ projects, keys }) => [projects, keys],
  reindex: reindexAccess,
  nextDueAt: () => undefined,
  due: () => [],
};

function decide(state: AccessState, command: Command, { now }: DecideContext): Decision {
  switch (command.op) {
    case issueKey.name:
      return issue(state, command, now);
    case endKey.name:
      return revoke(state, command, now);
    case openProject.name:
      return create(state, command, now);
    case projectKeys.name:
      return list(state, command, now);
    case bootstrap.name:
      return bootstrapFrom(state, command);
    default:
      return refused(UNKNOWN_OPERATION, `${command.op} is not for partition access`);
  }
}

/** A repeat carries the same key id and hash, so it finds the key that it issued. */
function issue(state: AccessState, command: Command, now: number): Decision {
  const { keyId, secretHash, ...wanted } = command.input as Input<typeof issueKey>;
  const issuer = adminOf(state, command, now);
  if (!issuer) return notAdmin;
  const project = wanted.project ?? issuer.project;
  const beyond = wanted.scopes.find((name) => !issuer.scopes.includes(name));
  if (project !== issuer.project && issuer.project !== DEFAULT_PROJECT) {
    return refused(FORBIDDEN, `only admins of ${DEFAULT_PROJECT} make keys for other projects`);
  }
  if (beyond) return refused(FORBIDDEN, `your own key has no scope ${beyond} to hand out`);
  if (!state.projects.has(project)) {
    return refused(PROJECT_NOT_FOUND, `there is no project ${project}`, 'project');
  }
  if (wanted.expiresAt !== undefined && Date.parse(wanted.expiresAt) <= now) {
    return refused(INVALID_INPUT, 'expiresAt lies in the past', 'expiresAt');
  }
  const known = state.keys.get(keyId);
  if (known) return known.secretHash === secretHash ? already(() => shown(state, keyId)) : taken;
  if ((state.keysOf.get(project)?.length ?? 0) >= KEYS_PER_PROJECT_MAX) {
    return refused(TOO_MANY_KEYS, `a project has at most ${KEYS_PER_PROJECT_MAX} keys`);
  }
  const scopes = [...new Set(wanted.scopes)];
  const event = issued(project, { ...wanted, keyId, project, scopes, secretHash });
  return { events: [event], answer: () => shown(state, keyId) };
}

function revoke(state: AccessState, command: Command, now: number): Decision {
  const { keyId } = command.input as Input<typeof endKey>;
  const issuer = adminOf(state, command, now);
  if (!issuer) return notAdmin;
  const key = state.keys.get(keyId);
  if (!key || (key.project !== issuer.project && issuer.project !== DEFAULT_PROJECT)) {
    return refused(KEY_NOT_FOUND, `there is no key ${keyId} in project ${issuer.project}`, 'keyId');
  }
  if (command.actor === `key:${keyId}`) {
    // Else the last admin could lock everyone out, itself included.
    return refused(FORBIDDEN, 'a key can’t revoke itself: use another admin key', 'keyId');
  }
  const answer = () => ({ keyId, revoked: true });
  if (key.revokedAt !== null) return already(answer);
  const { type, version: v } = keyRevoked;
  return { events: [{ type, v, project: key.project, id: keyId, data: { keyId } }], answer };
}

function create(state: AccessState, command: Command, now: number): Decision {
  const { project } = command.input as Input<typeof openProject>;
  const issuer = adminOf(state, command, now);
  if (issuer?.project !== DEFAULT_PROJECT) {
    return refused(FORBIDDEN, `only admins of project ${DEFAULT_PROJECT} make projects`);
  }
  if (RESERVED_PROJECTS.has(project)) {
    return refused(RESERVED_NAME, `${project} can’t be a project’s name`, 'project');
  }
  const known = state.projects.get(project);
  if (known) return already(() => ({ project, created: known.command === command.id }));
  if (state.projects.size >= PROJECTS_MAX) {
    return refused(TOO_MANY_PROJECTS, `there are at most ${PROJECTS_MAX} projects`);
  }
  return { events: [created(project)], answer: () => ({ project, created: true }) };
}

function list(state: AccessState, command: Command, now: number): Decision {
  const issuer = adminOf(state, command, now);
  if (!issuer) return notAdmin;
  const ids = state.keysOf.get(issuer.project) ?? [];
  return already(() => ({ keys: ids.map((keyId) => shown(state, keyId)) }));
}

/** A key that stands already stays as it is, also when it was revoked. */
function bootstrapFrom(state: AccessState, command: Command): Decision {
  if (command.actor !== GATEWAY_ACTOR) return notAdmin;
  const { keyId, secretHash } = command.input as Input<typeof bootstrap>;
  const events: AccessEvent[] = [];
  if (!state.projects.has(DEFAULT_PROJECT)) events.push(created(DEFAULT_PROJECT));
  if (!state.keys.has(keyId)) {
    const scopes = [...scope.options];
    const data = { keyId, name: BOOTSTRAP_KEY_NAME, project: DEFAULT_PROJECT, scopes, secretHash };
    events.push(issued(DEFAULT_PROJECT, data));
  }
  const answer = () => {
    const key = state.keys.get(keyId);
    return { usable: key?.secretHash === secretHash && key.revokedAt === null };
  };
  return { events, answer };
}

/** The calling key where it is active and may manage keys in the project it calls for. */
function adminOf(state: AccessState, command: Command, now: number): KeyRow | undefined {
  const { actor, project } = command;
  const key = actor.startsWith('key:') ? state.keys.get(actor.slice('key:'.length)) : undefined;
  const may = key && isActive(key, now) && key.project === project && key.scopes.includes('admin');
  return may ? key : undefined;
}

const refused = (definition: RefusalDefinition, detail: string, field?: string): Decision => ({
  refusal: refuse(definition, detail, field),
});
const already = (answer: () => unknown): Decision => ({ events: [], answer });
const notAdmin = refused(FORBIDDEN, 'managing keys needs an API key with scope admin');
const taken = refused(INVALID_INPUT, 'the key’s id is taken; ask again', 'keyId');

const shown = (state: AccessState, keyId: string) => keyRecordOf(state.keys.get(keyId) as KeyRow);

const created = (project: string): AccessEvent => {
  const { type, version: v } = projectCreated;
  return { type, v, project, id: project, data: { project } };
};
const issued = (
  project: string,
  data: Extract<AccessEvent, { type: 'KeyIssued' }>['data'],
): AccessEvent => ({ type: keyIssued.type, v: keyIssued.version, project, id: data.keyId, data });
