import { until } from '@athena/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AGENT_ID_TAKEN } from '@athena/contracts';
import { Refused } from '@athena/operation';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import { GatewayWorld, ROOT_KEY, askAt, type Ask } from '../gateway.scenario.js';

const REQUEST_MS = 2_000;
const ROOT_ID = ROOT_KEY.split('_')[1] as string;

let world: GatewayWorld;
let ask: Ask;
const opened: NatsConnection[] = [];
beforeAll(async () => {
  world = await GatewayWorld.start();
  ask = askAt(await world.gateway());
  world.core.subscribe('athena.v1.>', {
    callback: (_error, request) => void request.respond(JSON.stringify({ to: request.subject })),
  });
  await world.core.flush();
});
afterAll(async () => {
  await Promise.all(opened.map((connection) => connection.close()));
  await world.stop();
});
beforeEach(() => {
  world.services.reset();
  world.lines.length = 0;
});

/** Connects with a user name, its inbox where the protocol wants it. */
async function join(
  user: string,
  pass = ROOT_KEY,
  options: ConnectionOptions = { reconnect: false },
): Promise<NatsConnection> {
  const servers = world.nats.url;
  const inboxPrefix = `_INBOX.${/[*> ]/.test(user) ? 'hostile' : user}`;
  const connection = await connect({ servers, user, pass, inboxPrefix, ...options });
  opened.push(connection);
  return connection;
}
const refused = (user: string, pass?: string): Promise<unknown> =>
  expect(join(user, pass)).rejects.toThrow(/authorization violation/i);

async function keyWith(...scopes: string[]): Promise<{ key: string; keyId: string }> {
  const { body } = await ask('POST', '/v1/keys', { body: { name: 'spec', scopes } });
  return { key: body['apiKey'] as string, keyId: body['keyId'] as string };
}

/** The server's refusals of single subjects, as they come in. */
function refusalsOf(connection: NatsConnection): string[] {
  const texts: string[] = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') texts.push(status.error.message);
    }
  })();
  return texts;
}

/** Does something and waits for the server's refusal of it. */
async function denies(connection: NatsConnection, subjects: string[], act: (s: string) => void) {
  const texts = refusalsOf(connection);
  subjects.forEach(act);
  await connection.flush();
  await until(
    () => texts.length >= subjects.length,
    () => `${texts.length} refusals`,
  );
  return texts;
}

describe('an agent', () => {
  it('is let in with its id and a key that may be an agent, and is answered', async () => {
    const { key, keyId } = await keyWith('agent');
    const agent = await join('default.a1', key);

    const answer = await agent.request('athena.v1.default.a1.heartbeat', '{}', {
      timeout: REQUEST_MS,
    });

    expect(answer.json()).toEqual({ to: 'athena.v1.default.a1.heartbeat' });
    expect(world.services.sent('agent.bind')).toMatchObject([
      { project: 'default', actor: 'system:gateway', input: { agentId: 'a1', credential: keyId } },
    ]);
  });

  it('may publish on its own subjects only', async () => {
    const agent = await join('default.a2');
    const subjects = [
      'athena.v1.default.other.claim',
      'athena.v1.other.a2.claim',
      'athena.v1.default.a2',
      'athena.api.v1.default.task.create',
      'athena.evt.task.0',
      'athena.cmd.task.0',
      '$JS.API.INFO',
      '$JS.ACK.ATHENA_EVENTS.x',
      '$SYS.REQ.USER.AUTH',
      '_INBOX.default.other.x',
    ];
    const texts = await denies(agent, subjects, (subject) => agent.publish(subject, '{}'));
    expect(texts.filter((text) => /publish/i.test(text))).toHaveLength(subjects.length);
  });

  it('may hear its own inbox only', async () => {
    const agent = await join('default.a3');
    const subjects = [
      '>',
      '*.>',
      '_INBOX.>',
      '_INBOX.default.>',
      '_INBOX.default.other.>',
      '_INBOX.default.app.shop.>',
      'athena.v1.default.a3.>',
      'athena.events.>',
      '$SYS.>',
    ];
    const texts = await denies(agent, subjects, (subject) => {
      agent.subscribe(subject, { callback: () => undefined });
    });
    expect(texts.filter((text) => /subscription/i.test(text))).toHaveLength(subjects.length);
  });

  it('has no JetStream', async () => {
    const agent = await join('default.a4');
    await expect(jetstreamManager(agent, { timeout: 300 })).rejects.toThrow();
  });

  it('is refused an id that belongs to another credential', async () => {
    world.services.on('agent.bind', () => {
      throw Refused.because(AGENT_ID_TAKEN, 'agent taken belongs to another credential');
    });
    await refused('default.taken');
    expect(world.lines).toContainEqual(
      expect.objectContaining({
        audit: 'denied',
        reason: expect.stringContaining('AGENT_ID_TAKEN'),
      }),
    );
  });

  it('is refused with a wrong, foreign or revoked key, or one without the scope', async () => {
    const { key, keyId } = await keyWith('tasks:write', 'admin');
    const agent = await keyWith('agent');
    await ask('DELETE', `/v1/keys/${agent.keyId}`);

    await refused('default.a5', `${ROOT_KEY.slice(0, -1)}x`);
    await refused('default.a5', '');
    await refused('other.a5', ROOT_KEY);
    await refused('default.a5', key);
    await refused('default.a5', agent.key);

    const reasons = world.lines.filter(({ audit }) => audit === 'denied').map((l) => l['reason']);
    expect(reasons).toEqual([
      'the password is no valid API key: unknown',
      'the password is no valid API key: malformed',
      'the key is of another project',
      'the key lacks the scope agent',
      'the password is no valid API key: revoked',
    ]);
    expect(world.lines).toContainEqual(expect.objectContaining({ keyId }));
    expect(world.services.sent('agent.bind')).toEqual([]);
    expect(JSON.stringify(world.lines)).not.toContain(ROOT_KEY.slice(-20, -1));
  });

  it.each([
    'default.*',
    'default.>',
    '*.a1',
    'default.a b',
    'default.system',
    'system.a1',
    'default',
    'default.app',
  ])('is refused under the name %j', (user) => refused(user));
});

describe('an application', () => {
  it('may call exactly the operations whose scope its key has', async () => {
    const { key } = await keyWith('tasks:read');
    world.services.on('task.query', () => ({ tasks: [], nextCursor: null }));
    const app = await join('default.app.shop', key);

    const answer = await app.request('athena.api.v1.default.task.query', '{}', {
      timeout: REQUEST_MS,
    });

    expect(answer.json()).toEqual({ tasks: [], nextCursor: null });
    expect(world.services.sent('task.query')[0]?.project).toBe('default');
    const others = [
      'default.task.create',
      'other.task.query',
      'default.agent.bind',
      'default.key.create',
    ];
    const subjects = others.map((name) => `athena.api.v1.${name}`);
    const texts = await denies(app, subjects, (subject) => app.publish(subject, '{}'));
    expect(texts.filter((text) => /publish/i.test(text))).toHaveLength(subjects.length);
  });

  it('is told what is wrong with its input, as NATS services do', async () => {
    const app = await join('default.app.shop');
    const { headers, ...answer } = await app.request(
      'athena.api.v1.default.task.create',
      '{"content":1}',
      {
        timeout: REQUEST_MS,
      },
    );
    expect(headers?.get('Nats-Service-Error')).toBe('INVALID_INPUT');
    expect(answer).toBeDefined();
    expect(world.services.sent('task.create')).toEqual([]);
  });

  it('is refused under a name with more parts, or with a key that can do nothing', async () => {
    const { key } = await keyWith('agent');
    await refused('default.app.shop', key);
    await refused('default.app.shop.more');
    await refused('default.app.*');
  });
});

describe('a credential', () => {
  it('is not asked about again for a binding that is known', async () => {
    await join('default.a8');
    await join('default.a8');
    expect(world.services.sent('agent.bind').map(({ input }) => input)).toEqual([
      { agentId: 'a8', credential: ROOT_ID },
    ]);
  });
});
