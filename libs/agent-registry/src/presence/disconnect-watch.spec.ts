import { beforeEach, describe, expect, it } from '@jest/globals';
import { beatAgent, limits } from '@athena/contracts';
import { PROJECT, PresenceScenario } from './presence.scenario.js';
import { CONTACT_DELAY_MS_MAX } from '../domain/limits.js';

const { AGENT_RECONNECT_MS } = limits;
const a1 = { agentId: 'a1' };
const ended = 'AgentSessionEnded a1 1 disconnected';

describe('an agent whose connection closed', () => {
  let given: PresenceScenario;
  beforeEach(async () => {
    given = await PresenceScenario.open();
    await given.register('a1');
  });

  it('has no session any more after the time to come back', async () => {
    given.connections.close('a1');
    await given.time.advance(AGENT_RECONNECT_MS - 1);
    expect(given.told).toEqual([]);

    await given.time.advance(1);
    expect(given.told).toEqual([ended]);
  });

  it('keeps its session if it has connected again, or has another connection', async () => {
    given.connections.close('a1');
    given.connections.open.add(`${PROJECT}/a1`);
    await given.time.advance(10 * AGENT_RECONNECT_MS);

    expect(given.told).toEqual([]);
  });

  it('keeps its session if it was heard from', async () => {
    given.connections.close('a1');
    await given.time.advance(CONTACT_DELAY_MS_MAX + 1);
    await given.ok(beatAgent, a1, 'agent:a1');
    await given.time.advance(AGENT_RECONNECT_MS);

    expect(given.told).toEqual([]);
  });

  it('loses no newer session: a registration in between counts', async () => {
    given.connections.close('a1');
    await given.time.advance(1);
    await given.register('a1');
    given.connections.open.clear();
    await given.time.advance(AGENT_RECONNECT_MS);

    expect(given.told).toEqual(['AgentSessionEnded a1 1 replaced']);
  });

  it('is of no interest where it polls, is unknown or is away', async () => {
    await given.register('polls', 'poll');
    given.connections.close('polls');
    given.connections.close('nobody');
    given.connections.close('a1');
    await given.time.advance(AGENT_RECONNECT_MS);
    given.connections.close('a1');
    await given.time.advance(AGENT_RECONNECT_MS);

    expect(given.told).toEqual([ended]);
  });

  it('is left to its silence by an owner that stood still', async () => {
    given.connections.close('a1');
    await given.time.stall(10 * AGENT_RECONNECT_MS);
    await given.time.advance(AGENT_RECONNECT_MS);

    expect(given.told).toEqual([]);
  });

  it('is forgotten when the watch is stopped', async () => {
    given.connections.close('a1');
    given.disconnects.stop();
    await given.time.advance(AGENT_RECONNECT_MS);

    expect(given.told).toEqual([]);
  });

  it('again and again does not fill the log', async () => {
    const minute = 60_000;
    const began = given.time.now();
    while (given.time.now() - began < 10 * minute) {
      given.connections.close('a1');
      await given.time.advance(AGENT_RECONNECT_MS);
      await given.ok(beatAgent, a1, 'agent:a1');
    }

    const ends = given.told.filter((line) => line.startsWith('AgentSessionEnded'));
    // Not two hundred: two in two minutes.
    expect(ends).toHaveLength(10);
  });
});
