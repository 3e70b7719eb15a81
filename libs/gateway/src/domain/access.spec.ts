import { describe, expect, it } from '@jest/globals';
import { scope } from '@athena/contracts';
import type { Command, Decision, LoggedEvent } from '@athena/event-log';
import { bootstrap, endKey, issueKey, openProject, projectKeys } from './access-operations.js';
import type { AccessState } from './access-state.js';
import { GATEWAY_ACTOR, KEYS_PER_PROJECT_MAX, accessDecider } from './access.js';
import { hashSecret } from './api-key.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const HASH = hashSecret('secret');
const ROOT = 'root12345678';

const context = (now = NOW) => ({
  now,
  rev: 1,
  index: 0,
  epoch: 1,
  arrivedAt: now,
  fetched: new Map(),
});

/** One access partition: commands go in, decided events are folded, answers come out. */
class Access {
  readonly state: AccessState = accessDecider.initial();
  readonly log: LoggedEvent[] = [];

  decide(command: Partial<Command> & { op: string; input: unknown }, now = NOW): Decision {
    const defaults = { id: 'command-1', project: 'default', actor: `key:${ROOT}` };
    return accessDecider.decide(this.state, { ...defaults, ...command }, context(now));
  }

  /** The answer, or the refusal's code; and the types of the events. */
  do(command: Partial<Command> & { op: string; input: unknown }, now = NOW) {
    const decision = this.decide(command, now);
    if ('refusal' in decision) return { code: decision.refusal.code, events: [] };
    if (!('events' in decision)) throw new Error('neither events nor a refusal');
    const id = command.id ?? 'command-1';
    for (const event of decision.events) {
      this.log.push({ ...event, command: id });
      accessDecider.evolve(this.state, { ...event, command: id }, { ...context(now), at: now });
    }
    return { answer: decision.answer(1) as never, events: decision.events.map((e) => e.type) };
  }

  bootstrap(keyId = ROOT, secretHash = HASH) {
    return this.do({
      op: bootstrap.name,
      actor: GATEWAY_ACTOR,
      input: { keyId, secretHash },
    });
  }

  issue(input: object, actor = `key:${ROOT}`, project = 'default', now = NOW) {
    const key = { keyId: 'k1', secretHash: HASH, name: 'a key', scopes: ['tasks:read'], ...input };
    return this.do({ op: issueKey.name, actor, project, input: key }, now);
  }

  project(project: string, command: Partial<Command> = {}) {
    return this.do({ op: openProject.name, input: { project }, ...command });
  }

  revoke(keyId: string, actor = `key:${ROOT}`, project = 'default') {
    return this.do({ op: endKey.name, actor, project, input: { keyId } });
  }

  list(actor = `key:${ROOT}`, project = 'default') {
    const { answer } = this.do({ op: projectKeys.name, actor, project, input: {} });
    return (answer as unknown as { keys: { keyId: string }[] }).keys;
  }
}

const started = (): Access => {
  const access = new Access();
  access.bootstrap();
  return access;
};

describe('the bootstrap key', () => {
  it('is issued with every scope on first start, together with project default', () => {
    const access = new Access();

    const { events, answer } = access.bootstrap();

    expect(events).toEqual(['ProjectCreated', 'KeyIssued']);
    expect(answer).toEqual({ usable: true });
    expect(access.state.keys.get(ROOT)?.scopes).toEqual(scope.options);
  });

  it('changes nothing on the next start, not even when it was revoked', () => {
    const access = started();
    expect(access.bootstrap()).toEqual({ events: [], answer: { usable: true } });

    access.issue({ keyId: 'second', scopes: ['admin'] });
    access.revoke(ROOT, 'key:second');

    expect(access.bootstrap()).toEqual({ events: [], answer: { usable: false } });
  });

  it('is reported as unusable when the configuration has another secret for its id', () => {
    expect(started().bootstrap(ROOT, hashSecret('other')).answer).toEqual({ usable: false });
  });

  it('is for the gateway itself only', () => {
    const access = new Access();
    const input = { keyId: ROOT, secretHash: HASH };
    expect(access.do({ op: bootstrap.name, actor: 'key:someone', input }).code).toBe('FORBIDDEN');
  });
});

describe('issuing a key', () => {
  it('answers the record without the hash, and logs only the hash', () => {
    const access = started();

    const { answer, events } = access.issue({ scopes: ['tasks:read', 'tasks:read'] });

    expect(events).toEqual(['KeyIssued']);
    expect(answer).toEqual({
      keyId: 'k1',
      name: 'a key',
      project: 'default',
      scopes: ['tasks:read'],
      createdAt: new Date(NOW).toISOString(),
      expiresAt: null,
      revokedAt: null,
    });
    expect(access.log.at(-1)?.data).toMatchObject({ secretHash: HASH });
  });

  it('twice is once', () => {
    const access = started();
    const first = access.issue({});
    expect(access.issue({})).toEqual({ answer: first.answer, events: [] });
  });

  it('refuses a taken id with another secret', () => {
    const access = started();
    access.issue({});
    expect(access.issue({ secretHash: hashSecret('other') }).code).toBe('INVALID_INPUT');
  });

  it.each([
    ['nobody', 'key:unknown'],
    ['an agent’s key', `agent-key:${ROOT}`],
    ['an application, whose key is not known', 'app:*'],
    ['the gateway', GATEWAY_ACTOR],
  ])('is refused to %s', (_name, actor) => {
    expect(started().issue({}, actor).code).toBe('FORBIDDEN');
  });

  it('is refused to a key without scope admin, and to a key in another project’s name', () => {
    const access = started();
    access.issue({ keyId: 'reader', scopes: ['tasks:read'] });
    expect(access.issue({ keyId: 'k2' }, 'key:reader').code).toBe('FORBIDDEN');
    expect(access.issue({ keyId: 'k2' }, `key:${ROOT}`, 'elsewhere').code).toBe('FORBIDDEN');
  });

  it('is refused to an admin key that was revoked or has expired', () => {
    const access = started();
    const expiresAt = new Date(NOW + HOUR_MS).toISOString();
    access.issue({ keyId: 'brief', scopes: ['admin', 'tasks:read'], expiresAt });

    expect(access.issue({}, 'key:brief', 'default', NOW + HOUR_MS - 1).events).toHaveLength(1);
    expect(access.issue({ keyId: 'k2' }, 'key:brief', 'default', NOW + HOUR_MS).code).toBe(
      'FORBIDDEN',
    );
    access.issue({ keyId: 'second', scopes: ['admin'] });
    access.revoke(ROOT, 'key:second');
    expect(access.issue({ keyId: 'k3' }).code).toBe('FORBIDDEN');
  });

  it('hands out no scope beyond the issuer’s own', () => {
    const access = started();
    access.issue({ keyId: 'admin1', scopes: ['admin', 'tasks:read'] });
    expect(access.issue({ keyId: 'k2', scopes: ['tasks:write'] }, 'key:admin1').code).toBe(
      'FORBIDDEN',
    );
    expect(access.issue({ keyId: 'k2', scopes: ['admin'] }, 'key:admin1').events).toHaveLength(1);
  });

  it('for another project is left to admins of project default', () => {
    const access = started();
    access.project('blue');
    access.issue({ keyId: 'blueAdmin', scopes: ['admin', 'tasks:read'], project: 'blue' });

    const foreign = access.issue({ project: 'default', keyId: 'k2' }, 'key:blueAdmin', 'blue');
    const own = access.issue({ keyId: 'k2' }, 'key:blueAdmin', 'blue');

    expect(foreign.code).toBe('FORBIDDEN');
    expect(own.answer).toMatchObject({ project: 'blue' });
    expect(access.issue({ project: 'green', keyId: 'k3' }).code).toBe('PROJECT_NOT_FOUND');
  });

  it('refuses an expiry in the past', () => {
    const expiresAt = new Date(NOW).toISOString();
    expect(started().issue({ expiresAt }).code).toBe('INVALID_INPUT');
  });

  it('stops at the limit of keys in a project', () => {
    const access = started();
    const keys = Array.from({ length: KEYS_PER_PROJECT_MAX - 1 }, (_, n) => `k${n}`);
    for (const keyId of keys) access.issue({ keyId });

    expect(access.issue({ keyId: 'last' }).code).toBe('TOO_MANY_KEYS');
    expect(access.list()).toHaveLength(KEYS_PER_PROJECT_MAX);
  });
});

describe('revoking a key', () => {
  it('is refused to the key itself, so that nobody locks everyone out', () => {
    expect(started().revoke(ROOT)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('ends it, and twice is once', () => {
    const access = started();
    access.issue({});

    expect(access.revoke('k1')).toEqual({
      events: ['KeyRevoked'],
      answer: { keyId: 'k1', revoked: true },
    });
    expect(access.revoke('k1')).toEqual({ events: [], answer: { keyId: 'k1', revoked: true } });
  });

  it('finds no key of another project, except for admins of project default', () => {
    const access = started();
    access.project('blue');
    access.issue({ keyId: 'blueAdmin', scopes: ['admin'], project: 'blue' });

    expect(access.revoke(ROOT, 'key:blueAdmin', 'blue').code).toBe('KEY_NOT_FOUND');
    expect(access.revoke('nothing').code).toBe('KEY_NOT_FOUND');
    expect(access.revoke('blueAdmin').events).toEqual(['KeyRevoked']);
  });
});

describe('listing keys', () => {
  it('shows the caller’s project only, without hashes', () => {
    const access = started();
    access.project('blue');
    access.issue({ keyId: 'blueAdmin', scopes: ['admin'], project: 'blue' });

    const keys = access.list('key:blueAdmin', 'blue');

    expect(keys.map(({ keyId }) => keyId)).toEqual(['blueAdmin']);
    expect(JSON.stringify(keys)).not.toContain(HASH);
  });
});

describe('creating a project', () => {
  it('twice is once: a repeat of the command hears created, another command does not', () => {
    const access = started();
    expect(access.project('blue', { id: 'c1' }).answer).toMatchObject({ created: true });
    expect(access.project('blue', { id: 'c1' })).toEqual({
      answer: { project: 'blue', created: true },
      events: [],
    });
    expect(access.project('blue', { id: 'c2' }).answer).toMatchObject({ created: false });
  });

  it('is for admins of project default; system is no name for one', () => {
    const access = started();
    access.project('blue');
    access.issue({ keyId: 'blueAdmin', scopes: ['admin'], project: 'blue' });
    const asBlue = { actor: 'key:blueAdmin', project: 'blue' };

    expect(access.project('green', asBlue).code).toBe('FORBIDDEN');
    expect(access.project('system').code).toBe('RESERVED_NAME');
  });
});

describe('the state', () => {
  it('is the same after a load of its rows as after folding the log', () => {
    const access = started();
    access.project('blue');
    access.issue({ keyId: 'blueAdmin', scopes: ['admin'], project: 'blue' });
    access.revoke('blueAdmin');
    const loaded = accessDecider.initial();
    const [projects, keys] = [loaded.projects, loaded.keys];
    for (const row of access.state.projects.values()) projects.restore(row.project, row);
    for (const row of access.state.keys.values()) keys.restore(row.keyId, row);

    accessDecider.reindex(loaded);

    expect(loaded.keysOf).toEqual(access.state.keysOf);
  });

  it('ignores what the partition writes for itself', () => {
    const access = started();
    const before = access.state.keys.size;
    const event = { type: 'PartitionOpened', v: 1, project: '', id: 'access.0', data: {} };
    accessDecider.evolve(access.state, event, { ...context(), at: NOW });
    expect(access.state.keys.size).toBe(before);
  });

  it('refuses operations of others', () => {
    expect(started().do({ op: 'task.create', input: {} }).code).toBe('UNKNOWN_OPERATION');
  });
});
