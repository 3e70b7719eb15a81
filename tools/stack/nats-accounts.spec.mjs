import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { Algorithms, decode, encodeAuthorizationResponse, encodeUser } from '@nats-io/jwt';
import { fromPublic, fromSeed } from '@nats-io/nkeys';
import { connect } from '@nats-io/transport-node';
import { startNats } from './servers.mjs';

const AGENT_PASSWORD = 'agent-key';
const LONG_POLL_MS = 5_000;
const REQUEST_MS = 2_000;

/** @typedef {import('@nats-io/transport-node').NatsConnection} NatsConnection */

/**
 * Answers the server's questions as the gateway's callout does: an agent that knows the password
 * gets exactly its own subjects in account AGENTS.
 * @param {NatsConnection} connection
 * @param {string} seed
 */
function answerCallouts(connection, seed) {
  const issuer = fromSeed(new TextEncoder().encode(seed));
  connection.subscribe('$SYS.REQ.USER.AUTH', {
    callback: (_error, question) => {
      void (async () => {
        const { nats } = /** @type {any} */ (decode(question.string()));
        const user = fromPublic(nats.user_nkey);
        const server = fromPublic(nats.server_id.id);
        const name = String(nats.connect_opts.user);
        const [project, agentId] = name.split('.');
        const granted = agentId === 'all' ? {} : permissions(project, agentId);
        const answer =
          nats.connect_opts.pass === AGENT_PASSWORD
            ? {
                jwt: await encodeUser(name, user, issuer, granted, forAgents),
              }
            : { error: 'wrong key' };
        question.respond(
          await encodeAuthorizationResponse(user, server, issuer, answer, algorithm),
        );
      })();
    },
  });
}
const algorithm = { algorithm: Algorithms.v2 };
const forAgents = { ...algorithm, aud: 'AGENTS' };

/** @param {string | undefined} project @param {string | undefined} agentId */
function permissions(project, agentId) {
  return {
    pub: { allow: [`athena.v1.${project}.${agentId}.>`], deny: [] },
    sub: { allow: [`_INBOX.${project}.${agentId}.>`], deny: [] },
  };
}

describe('the accounts of the NATS configuration', () => {
  /** @type {import('./servers.mjs').RunningNats} */
  let nats;
  /** @type {NatsConnection} */
  let core;
  /** @type {NatsConnection} */
  let callout;
  before(async () => {
    nats = await startNats();
    core = await open(nats.core.user, nats.core.password);
    callout = await open(nats.callout.user, nats.callout.password);
    answerCallouts(callout, nats.calloutSeed);
    core.subscribe('athena.v1.>', {
      callback: (_error, request) => {
        const { waitMs } = /** @type {{ waitMs: number }} */ (request.json());
        setTimeout(() => request.respond(JSON.stringify({ subject: request.subject })), waitMs);
      },
    });
    await Promise.all([core.flush(), callout.flush()]);
  });
  after(async () => {
    await Promise.all([core.close(), callout.close()]);
    await nats.stop();
  });

  /** @param {string} user @param {string} pass @param {string} [inboxPrefix] */
  const open = (user, pass, inboxPrefix = '_INBOX') =>
    connect({ servers: nats.url, user, pass, inboxPrefix, reconnect: false });
  const openAgent = () => open('default.a1', AGENT_PASSWORD, '_INBOX.default.a1');

  it('refuse a wrong password: of a static user, of an agent, and none at all', async () => {
    await assert.rejects(open('core', 'wrong'), /authorization violation/i);
    await assert.rejects(open('default.a1', 'wrong'), /authorization violation/i);
    await assert.rejects(
      connect({ servers: nats.url, reconnect: false }),
      /authorization violation/i,
    );
  });

  it('let an agent ask CORE and be answered, also after a long poll', async () => {
    const agent = await openAgent();
    const subject = 'athena.v1.default.a1.claim';
    /** @param {number} waitMs */
    const ask = (waitMs) =>
      agent.request(subject, JSON.stringify({ waitMs }), { timeout: waitMs + REQUEST_MS });

    const answers = await Promise.all([ask(0), ask(LONG_POLL_MS)]);

    assert.deepEqual(
      answers.map((answer) => answer.json()),
      [{ subject }, { subject }],
    );
    await agent.close();
  });

  it('give an agent its own subjects and nothing else', async () => {
    const agent = await openAgent();
    const errors = refusalsOf(agent);

    for (const subject of [
      'athena.v1.default.a2.claim',
      'athena.v1.other.a1.claim',
      'athena.api.v1.default.listTasks',
      'athena.evt.task.0',
      '$JS.API.INFO',
      '$SYS.REQ.SERVER.PING',
    ]) {
      agent.publish(subject, '{}');
    }
    for (const subject of ['_INBOX.default.a2.>', '_INBOX.>', '>', 'athena.v1.default.a1.>']) {
      agent.subscribe(subject, { callback: () => {} });
    }
    await agent.flush();
    await sleep(100);

    assert.equal(errors.filter((text) => /publish/i.test(text)).length, 6);
    assert.equal(errors.filter((text) => /subscription/i.test(text)).length, 4);
    await agent.close();
  });

  it('keep JetStream out of AGENTS and AUTH, and in CORE', async () => {
    const unlimited = await open('default.all', AGENT_PASSWORD);
    await assert.doesNotReject(jetstreamManager(core));
    await assert.rejects(jetstreamManager(callout));
    await assert.rejects(jetstreamManager(unlimited));
    await unlimited.close();
  });

  it('keep the log out of reach, even of an agent with every permission', async () => {
    const log = await jetstreamManager(core);
    await log.streams.add({ name: 'LOG', subjects: ['athena.evt.>'] });
    const unlimited = await open('default.all', AGENT_PASSWORD);

    for (const subject of ['athena.evt.task.0', '$JS.API.STREAM.PURGE.LOG']) {
      unlimited.publish(subject, '{}');
    }
    await unlimited.flush();
    await core.flush();
    await sleep(100);

    assert.equal((await log.streams.info('LOG')).state.last_seq, 0);
    await unlimited.close();
  });

  it('never carry a CORE message that is no exported service into AGENTS', async () => {
    const agent = await openAgent();
    /** @type {string[]} */
    const heard = [];
    agent.subscribe('_INBOX.default.a1.x', {
      callback: (_error, message) => void heard.push(message.string()),
    });
    await agent.flush();

    core.publish('_INBOX.default.a1.x', 'from another account');
    await core.flush();
    await sleep(100);

    assert.deepEqual(heard, []);
    await agent.close();
  });
});

/** @param {NatsConnection} connection @returns {string[]} Filled with the server's refusals. */
function refusalsOf(connection) {
  /** @type {string[]} */
  const texts = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') texts.push(status.error.message);
    }
  })();
  return texts;
}
