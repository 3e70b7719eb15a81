import { describe, expect, it } from '@jest/globals';
import { operations, type KeyRecord } from '@athena/contracts';
import { grantFor, parseClientName, type ClientName, type Grant } from './grant.js';

const key = (scopes: KeyRecord['scopes'], project = 'blue'): KeyRecord => ({
  keyId: 'k1',
  name: 'a key',
  project,
  scopes,
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: null,
  revokedAt: null,
});
const agent: ClientName = { kind: 'agent', project: 'blue', agentId: 'a1' };
const app: ClientName = { kind: 'app', project: 'blue', name: 'shop' };

describe('the name of a NATS client', () => {
  it('is an agent’s or an application’s', () => {
    expect(parseClientName('blue.a1')).toEqual(agent);
    expect(parseClientName('blue.app.shop')).toEqual(app);
  });

  it.each([
    '',
    'blue',
    'blue.',
    '.a1',
    'blue.*',
    'blue.>',
    '*.a1',
    'blue.a1.b2',
    'blue.a1.>',
    'blue.app.',
    'blue.app.*',
    'blue.app.shop.more',
    'blue.a 1',
    'blue.a1\r\n',
    'blue.a1\u0000',
    'blue.аgent',
    'blue.system',
    'system.a1',
    'blue.app.system',
    'blue.app',
    'blue.$SYS',
    `blue.${'a'.repeat(129)}`,
  ])('is never %j', (user) => expect(parseClientName(user)).toBeNull());
});

describe('what a key grants', () => {
  it('lets an agent use its own subjects, and nothing else', () => {
    expect(grantFor(agent, key(['agent']), operations)).toMatchObject({
      publish: ['athena.v1.blue.a1.>'],
      subscribe: ['_INBOX.blue.a1.>'],
    });
  });

  it('lets an application call exactly the operations whose scope the key has', () => {
    const grant = grantFor(app, key(['routing:read']), operations) as Grant;
    const expected = operations
      .filter(({ scope }) => scope === 'routing:read')
      .map(({ name }) => `athena.api.v1.blue.${name}`);

    expect(expected).toContain('athena.api.v1.blue.task.why');
    expect(grant.publish).toEqual(expected);
    expect(grant.subscribe).toEqual(['_INBOX.blue.app.shop.>']);
  });

  it('leaves managing keys to REST, whatever the scopes', () => {
    const grant = grantFor(app, key(['admin', 'tasks:read']), operations) as Grant;
    expect(grant.publish.filter((subject) => /key\.|project\./.test(subject))).toEqual([]);
    expect(grantFor(app, key(['admin']), operations)).toMatch(/no scope/);
  });

  it('refuses a key of another project and a key without the scope', () => {
    expect(grantFor(agent, key(['agent'], 'green'), operations)).toMatch(/another project/);
    expect(grantFor(app, key(['tasks:read'], 'green'), operations)).toMatch(/another project/);
    expect(grantFor(agent, key(['admin', 'tasks:write']), operations)).toMatch(/scope agent/);
    expect(grantFor(app, key(['agent']), operations)).toMatch(/no scope/);
  });
});
