import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLog, Partition, systemTimers, type EventLog, type Timers } from '@athena/event-log';
import { GATEWAY_ACTOR, accessDecider } from '../domain/access.js';
import { bootstrap, endKey, issueKey } from '../domain/access-operations.js';
import type { AccessState } from '../domain/access-state.js';
import { formatApiKey, hashSecret, type ApiKey } from '../domain/api-key.js';
import { ACCESS_PARTITION, KeyTable } from './key-table.js';

const WAIT_MS = 2_000;
const SOON_MS = 5;
const root: ApiKey = { keyId: 'root12345678', secret: 'r'.repeat(32) };
const other: ApiKey = { keyId: 'other1234567', secret: 'o'.repeat(32) };

describe('the key table', () => {
  let log: MemoryLog;
  let owner: Partition<AccessState>;
  let table: KeyTable;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    log = new MemoryLog();
    owner = await Partition.open({
      name: ACCESS_PARTITION,
      log,
      decider: accessDecider,
      owner: 't',
    });
    const { keyId, secret } = root;
    await ask(bootstrap.name, GATEWAY_ACTOR, { keyId, secretHash: hashSecret(secret) });
    table = new KeyTable({ log, feed: log, clock: { now: () => now } });
  });
  afterEach(async () => {
    await table.stop();
    await owner.close();
  });

  const ask = async (op: string, actor: string, input: unknown): Promise<number> => {
    const answer = await owner.ask({
      op,
      id: `${Math.random()}`,
      project: 'default',
      actor,
      input,
    });
    if ('refusal' in answer) throw new Error(answer.refusal.detail);
    return answer.seq;
  };
  const issue = ({ keyId, secret }: ApiKey, expiresAt?: string): Promise<number> =>
    ask(issueKey.name, `key:${root.keyId}`, {
      ...{ keyId, secretHash: hashSecret(secret), name: 'other', scopes: ['tasks:read'] },
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });

  it('lets nobody in before it has caught up', async () => {
    expect(table.ready).toBe(false);
    expect(table.check(formatApiKey(root))).toEqual({ refused: 'not_ready' });

    await table.start();

    expect(table.ready).toBe(true);
    expect(table.check(formatApiKey(root))).toMatchObject({ key: { keyId: root.keyId } });
  });

  it('knows a key as soon as it has reached its position, and never shows its hash', async () => {
    await table.start();

    const seq = await issue(other);

    expect(await table.reached(seq, WAIT_MS)).toBe(true);
    const check = table.check(formatApiKey(other));
    expect(check).toMatchObject({ key: { scopes: ['tasks:read'], project: 'default' } });
    expect(JSON.stringify(check)).not.toContain(hashSecret(other.secret));
  });

  it('refuses a wrong secret, an unknown id and what has not the form of a key', async () => {
    await table.start();
    const wrong = { ...root, secret: 'x'.repeat(32) };

    expect(table.check(formatApiKey(wrong))).toEqual({ refused: 'unknown' });
    expect(table.check(formatApiKey(other))).toEqual({ refused: 'unknown' });
    expect(table.check('Bearer nonsense')).toEqual({ refused: 'malformed' });
  });

  it('refuses a revoked key, and an expired one from its instant on', async () => {
    await table.start();
    await issue(other, new Date(now + 60_000).toISOString());
    const admin = {
      keyId: 'admin2',
      secretHash: hashSecret('-'),
      name: 'other',
      scopes: ['admin'],
    };
    await ask(issueKey.name, `key:${root.keyId}`, admin);
    const seq = await ask(endKey.name, 'key:admin2', { keyId: root.keyId });
    await table.reached(seq, WAIT_MS);

    expect(table.check(formatApiKey(root))).toEqual({ refused: 'revoked' });
    expect(table.check(formatApiKey(other))).toHaveProperty('key');
    now += 60_000;
    expect(table.check(formatApiKey(other))).toEqual({ refused: 'expired' });
  });

  it('does not wait for ever for a position that does not come', async () => {
    await table.start();
    expect(await table.reached(1_000_000, 10)).toBe(false);
  });

  it('lets nobody in while its feed is broken, reads the log anew and goes on', async () => {
    const failures: unknown[] = [];
    let breakFeed: (error: Error) => void = () => undefined;
    const feed: Pick<EventLog, 'follow'> = {
      follow: (options, onCommits) => {
        const follower = log.follow(options, onCommits);
        const done = new Promise<void>((_, reject) => (breakFeed = reject));
        return { stop: () => follower.stop(), done };
      },
    };
    const timers: Timers = { after: (_ms, callback) => systemTimers.after(SOON_MS, callback) };
    table = new KeyTable({ log, feed, timers, onFailure: (error) => failures.push(error) });
    await table.start();

    breakFeed(new Error('a gap'));
    await setImmediate();

    expect(table.check(formatApiKey(root))).toEqual({ refused: 'not_ready' });
    await issue(other);
    while (!table.ready) await setImmediate();
    expect(table.check(formatApiKey(other))).toHaveProperty('key');
    expect(failures).toEqual([new Error('a gap')]);
  });
});
