import { beforeEach, describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import { CONTACT_DELAY_MS_MAX } from './limits.js';
import { PresenceBook } from './presence.js';

const START = 1_000_000;
const { AGENT_DEGRADED_MS, AGENT_PRESENCE_MS, AGENT_RECONNECT_MS } = limits;

describe('the presence book', () => {
  let given: PresenceBook;
  beforeEach(() => {
    given = new PresenceBook(START);
    given.begin('p/a1', START);
  });

  it('tells who is late and who is silent', () => {
    const at = (ms: number) => given.standing('p/a1', START + ms);

    expect(at(AGENT_DEGRADED_MS - 1)).toBe('fresh');
    expect(at(AGENT_DEGRADED_MS)).toBe('late');
    expect(at(AGENT_PRESENCE_MS - 1)).toBe('late');
    expect(at(AGENT_PRESENCE_MS)).toBe('silent');
  });

  it('starts an agent’s clock again with each contact', () => {
    given.contact('p/a1', START + 50_000);

    expect(given.standing('p/a1', START + 50_000 + AGENT_DEGRADED_MS - 1)).toBe('fresh');
    expect(given.lastSeenAt('p/a1')).toBe(START + 50_000);
  });

  it('starts all clocks in full when it could not hear, and keeps what it heard before', () => {
    given.restart(START + AGENT_PRESENCE_MS);

    expect(given.standing('p/a1', START + 2 * AGENT_PRESENCE_MS - 1)).toBe('late');
    expect(given.standing('p/a1', START + 2 * AGENT_PRESENCE_MS)).toBe('silent');
    expect(given.lastSeenAt('p/a1')).toBe(START);
  });

  it('of a new owner has heard nobody, and gives everybody the full time', () => {
    given.open(START + AGENT_PRESENCE_MS);

    expect(given.lastSeenAt('p/a1')).toBeNull();
    expect(given.standing('p/a1', START + AGENT_PRESENCE_MS)).toBe('fresh');
  });

  it('holds the latest report, until a new session begins', () => {
    given.contact('p/a1', START, { cpu: 0.5, load: 2 });
    given.contact('p/a1', START, { cpu: 0.6 });
    given.contact('p/a1', START);
    expect(given.report('p/a1')).toEqual({ cpu: 0.6 });

    given.begin('p/a1', START);
    expect(given.report('p/a1')).toEqual({});
  });
});

describe('a closed connection', () => {
  let given: PresenceBook;
  beforeEach(() => {
    given = new PresenceBook(START);
    given.begin('p/a1', START);
  });

  it('is looked into after the time to come back', () => {
    expect(given.closed('p/a1', START + 10)).toBe(AGENT_RECONNECT_MS);
    expect(given.isClosedSince('p/a1', START + 10)).toBe(true);
  });

  it('is of no matter once the agent made contact', () => {
    given.closed('p/a1', START);
    given.contact('p/a1', START + CONTACT_DELAY_MS_MAX + 1);

    expect(given.isClosedSince('p/a1', START)).toBe(false);
  });

  it('is not excused by a contact that was made before and arrives late', () => {
    given.closed('p/a1', START);
    given.contact('p/a1', START + CONTACT_DELAY_MS_MAX);

    expect(given.isClosedSince('p/a1', START)).toBe(true);
  });

  it('is of no matter after a new session, a restart of the clocks, or another close', () => {
    given.closed('p/a1', START);
    given.begin('p/a1', START + 1);
    expect(given.isClosedSince('p/a1', START)).toBe(false);

    given.closed('p/a1', START + 2);
    given.restart(START + 3);
    expect(given.isClosedSince('p/a1', START + 2)).toBe(false);

    given.closed('p/a1', START + 4);
    given.closed('p/a1', START + 5);
    expect(given.isClosedSince('p/a1', START + 4)).toBe(false);
  });

  it('of an agent that comes and goes is looked into later each time but the second', () => {
    const waits: number[] = [];
    let now = START;
    for (let n = 0; n < 8; n++) {
      const wait = given.closed('p/a1', now);
      waits.push(wait);
      now += wait;
      given.flapped('p/a1', now);
      given.begin('p/a1', now);
    }

    expect(waits).toEqual([3_000, 3_000, 6_000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  });

  it('counts as the first again after the agent has stayed for a while', () => {
    given.closed('p/a1', START);
    given.flapped('p/a1', START);

    expect(given.closed('p/a1', START + 2 * AGENT_PRESENCE_MS + 1)).toBe(AGENT_RECONNECT_MS);
  });
});
