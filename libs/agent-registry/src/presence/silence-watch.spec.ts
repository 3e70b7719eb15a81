import { beforeEach, describe, expect, it } from '@jest/globals';
import { drainAgent, beatAgent, limits } from '@athena/contracts';
import { PresenceScenario } from './presence.scenario.js';
import { PRESENCE_SWEEP_MS } from '../domain/limits.js';
import { lateAgents, lookUpAgent, type LiveAgent } from '../operations/owner-queries.js';

const { AGENT_DEGRADED_MS, AGENT_PRESENCE_MS } = limits;
const a1 = { agentId: 'a1' };

describe('an agent that is silent', () => {
  let given: PresenceScenario;
  beforeEach(async () => {
    given = await PresenceScenario.open();
    await given.register('a1');
  });
  const status = async (): Promise<string> =>
    ((await given.ok(lookUpAgent, a1)) as LiveAgent).status;

  it('is degraded at first, then its session ends, once', async () => {
    await given.time.advance(AGENT_DEGRADED_MS);
    expect(await status()).toBe('degraded');
    expect(await given.ok(lateAgents, {})).toEqual({ agentIds: ['a1'] });

    await given.time.advance(AGENT_PRESENCE_MS - AGENT_DEGRADED_MS + PRESENCE_SWEEP_MS);
    expect(given.told).toEqual(['AgentSessionEnded a1 1 silent']);
    expect(await status()).toBe('offline');
    expect(await given.ok(lateAgents, {})).toEqual({ agentIds: [] });

    await given.time.advance(10 * AGENT_PRESENCE_MS);
    expect(given.told).toHaveLength(1);
  });

  it('keeps its session as long as it makes contact', async () => {
    for (let n = 0; n < 20; n++) {
      await given.time.advance(AGENT_DEGRADED_MS - 1);
      expect(await status()).toBe('online');
      await given.ok(beatAgent, a1, 'agent:a1');
    }

    expect(given.told).toEqual([]);
  });

  it('returns with a new session when it makes contact', async () => {
    await given.time.advance(2 * AGENT_PRESENCE_MS);
    await given.ok(beatAgent, { ...a1, cpu: 0.5 }, 'agent:a1');

    expect(given.told).toEqual(['AgentSessionEnded a1 1 silent', 'AgentReturned a1 2']);
    expect(await given.ok(lookUpAgent, a1)).toMatchObject({ status: 'online', session: 2 });
  });

  it('can’t fill the log by coming and going', async () => {
    for (let n = 0; n < 10; n++) {
      await given.time.advance(AGENT_PRESENCE_MS / 2);
      await given.ok(beatAgent, a1, 'agent:a1');
      await given.ok(beatAgent, a1, 'agent:a1');
    }

    expect(given.told).toEqual([]);
  });

  it('has the full time again when a new owner opens', async () => {
    await given.time.advance(AGENT_PRESENCE_MS - 1);
    await given.takeOver();

    await given.time.advance(AGENT_PRESENCE_MS - 1);
    expect(given.told).toEqual([]);
    await given.time.advance(1 + PRESENCE_SWEEP_MS);
    expect(given.told).toHaveLength(1);
  });

  it('has the full time again when the owner stood still', async () => {
    await given.time.stall(3 * AGENT_PRESENCE_MS);

    await given.time.advance(AGENT_PRESENCE_MS - 1);
    expect(given.told).toEqual([]);
    await given.time.advance(1 + 2 * PRESENCE_SWEEP_MS);
    expect(given.told).toHaveLength(1);
  });

  it('has the full time again when the owner was cut off', async () => {
    given.connected = false;
    await given.time.advance(3 * AGENT_PRESENCE_MS);
    given.connected = true;

    await given.time.advance(AGENT_PRESENCE_MS - PRESENCE_SWEEP_MS);
    expect(given.told).toEqual([]);
    await given.time.advance(3 * PRESENCE_SWEEP_MS);
    expect(given.told).toHaveLength(1);
  });

  it('is offline also where it was draining, and draining again when it returns', async () => {
    await given.ok(drainAgent, a1);
    expect(await status()).toBe('draining');
    await given.time.advance(2 * AGENT_PRESENCE_MS);
    expect(await status()).toBe('offline');
    await given.ok(beatAgent, a1, 'agent:a1');

    expect(await status()).toBe('draining');
  });

  it('is not kept alive by an operator who looks, drains or is refused', async () => {
    for (let n = 0; n < 7; n++) {
      await given.time.advance(10_000);
      await status();
      await given.ask(drainAgent, a1);
      await given.ask(beatAgent, a1, 'agent:a2');
    }

    expect(given.told).toEqual(['AgentSessionEnded a1 1 silent']);
  });
});

describe('what a heartbeat reports', () => {
  it('is shown until the next report, with when the agent was last seen', async () => {
    const given = await PresenceScenario.open();
    await given.register('a1');
    await given.time.advance(1_000);
    await given.ok(beatAgent, { ...a1, load: 3, cpu: 0.5, network: 10 }, 'agent:a1');
    await given.time.advance(1_000);
    await given.ok(beatAgent, a1, 'agent:a1');
    const seenAt = new Date(given.time.now()).toISOString();
    await given.time.advance(1_000);

    expect(await given.ok(lookUpAgent, a1)).toMatchObject({
      load: 3,
      cpu: 0.5,
      memory: null,
      network: 10,
      lastSeenAt: seenAt,
    });
  });

  it('is not in the log', async () => {
    const given = await PresenceScenario.open();
    await given.register('a1');
    const before = given.log.messages.length;
    await given.ok(beatAgent, { ...a1, cpu: 0.5 }, 'agent:a1');

    expect(given.log.messages).toHaveLength(before);
  });
});
