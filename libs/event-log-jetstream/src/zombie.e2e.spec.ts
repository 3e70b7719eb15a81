import { setTimeout as pass } from 'node:timers/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Fold, subjectOf, type LoggedEvent } from '@athena/event-log';
import type { WireAnswer, WireReply, WireRequest } from '@athena/operation';
import { bank, bankCommand, type BankOperation, until } from '@athena/testing';
import { NatsBroker, type EmptyLog } from '@athena/testing/broker';

const LOADER = fileURLToPath(new URL('../../testing/src/run-from-source.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../testing/src/bank-process.ts', import.meta.url));
const PARTITION = 'task.9';
const SUBJECT = `athena.cmd.${PARTITION}`;
const RESEND_MS = 200;

interface News {
  readonly now: 'standby' | 'owner' | 'stood down';
  readonly epoch?: number;
  readonly because?: string;
}

/** One process that may own the partition. */
class Owner {
  readonly news: News[] = [];
  readonly #process: ChildProcess;

  constructor(name: string, broker: NatsBroker) {
    const { user, pass } = broker.login;
    this.#process = spawn(
      process.execPath,
      [
        '--conditions=@athena/source',
        '--disable-warning=ExperimentalWarning',
        '--import',
        LOADER,
        PROGRAM,
      ],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          BANK_NATS: broker.url,
          BANK_USER: user,
          BANK_PASSWORD: pass,
          BANK_NAME: name,
        },
      },
    );
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.news.push(JSON.parse(line) as News),
    );
  }

  async until(now: News['now'], after = 0): Promise<News> {
    await until(() => this.news.slice(after).some((news) => news.now === now));
    return this.news.slice(after).find((news) => news.now === now) as News;
  }
  stop(): void {
    this.#process.kill('SIGSTOP');
  }
  resume(): void {
    this.#process.kill('SIGCONT');
  }
  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** Sends commands as callers do, and remembers every answer from anybody. */
class Caller {
  /** By command, in the order of arrival. */
  readonly answers = new Map<string, { epoch: number; code: string }[]>();
  readonly #empty: EmptyLog;

  constructor(empty: EmptyLog) {
    this.#empty = empty;
  }

  /** Sent once; whoever is subscribed may answer, now or after a standstill. */
  send(operation: BankOperation, id: string): void {
    const heard = this.answers.get(id) ?? [];
    this.answers.set(id, heard);
    const { nc } = this.#empty;
    const reply = `${SUBJECT}-answers.${id.replaceAll(' ', '-')}`;
    if (heard.length === 0) {
      nc.subscribe(reply, {
        callback: (_error, msg) => {
          const { epoch = 0, items } = msg.json<WireReply>();
          heard.push(...items.map((answer) => ({ epoch, code: codeOf(answer) })));
        },
      });
    }
    const request: WireRequest = { items: [bankCommand(operation, id)] };
    nc.publish(SUBJECT, JSON.stringify(request), { reply });
  }

  /** Repeats the same command until an owner has answered it. */
  async call(operation: BankOperation, id: string): Promise<string> {
    for (;;) {
      this.send(operation, id);
      const deadline = performance.now() + RESEND_MS;
      while (performance.now() < deadline) {
        const settled = this.answers.get(id)?.find(({ code }) => code !== 'NOT_OWNER');
        if (settled) return settled.code;
        await pass(2);
      }
    }
  }

  /** What owners of an epoch have answered since. */
  codesOf(epoch: number): string[] {
    return [...this.answers.values()]
      .flat()
      .filter((a) => a.epoch === epoch)
      .map((a) => a.code);
  }
}

const codeOf = (answer: WireAnswer): string => ('ok' in answer ? 'ok' : answer.refusal.code);
const deposit = (amount = 1): BankOperation => ({ op: 'deposit', input: { account: 'a', amount } });
const withdraw: BankOperation = { op: 'withdraw', input: { account: 'a', amount: 1_000_000 } };
const balance: BankOperation = { op: 'balance', input: { account: 'a' } };

describe('an owner that was stopped and goes on', () => {
  let broker: NatsBroker;
  let empty: EmptyLog;
  let owners: Owner[];
  let caller: Caller;
  beforeAll(async () => {
    broker = await NatsBroker.start();
  });
  afterAll(() => broker.stop());
  beforeEach(async () => {
    empty = await broker.emptyLog();
    caller = new Caller(empty);
    owners = [];
  });
  afterEach(async () => {
    for (const owner of owners) await owner.end();
    await empty.end();
  });

  async function start(name: string): Promise<Owner> {
    const owner = new Owner(name, broker);
    owners.push(owner);
    await owner.until('standby');
    return owner;
  }

  /** The log's chain holds, and what was acknowledged is in it exactly once. */
  async function expectSound(): Promise<void> {
    const fold = await Fold.load(PARTITION, bank, empty.log);
    const events: LoggedEvent[] = [];
    const mine = (subject: string): boolean => subject === subjectOf(PARTITION);
    for await (const commits of empty.log.read({ from: 1, subjects: mine })) {
      events.push(...commits.flatMap((commit) => commit.events));
    }
    const times = (id: string): number => events.filter(({ command }) => command === id).length;
    for (const [id, heard] of caller.answers) {
      const deposited = id.startsWith('deposit') && heard.some(({ code }) => code === 'ok');
      if (deposited) expect([id, times(id)]).toEqual([id, 1]);
      else expect(times(id)).toBeLessThanOrEqual(1);
    }
    const deposits = events.filter(({ type }) => type === 'Deposited');
    expect(fold.state.accounts.get('a')?.balance).toBe(deposits.length);
  }

  /** Two processes, of which the first owns an account with some money in it. */
  async function ownerAndStandby(): Promise<{ first: Owner; second: Owner }> {
    const first = await start('first');
    expect(await first.until('owner')).toMatchObject({ epoch: 1 });
    const second = await start('second');
    await caller.call({ op: 'open', input: { account: 'a' } }, 'open');
    for (let n = 0; n < 20; n++) await caller.call(deposit(), `deposit ${n}`);
    return { first, second };
  }

  it('answers what waited for it with NOT_OWNER: no success, and no refusal of the domain', async () => {
    const { first, second } = await ownerAndStandby();
    const before = caller.codesOf(1).length;

    first.stop();
    for (let n = 0; n < 10; n++) {
      caller.send(deposit(), `deposit while stopped ${n}`);
      caller.send(withdraw, `withdraw while stopped ${n}`);
      caller.send(balance, `balance while stopped ${n}`);
    }
    expect(await second.until('owner')).toMatchObject({ epoch: 2 });
    expect(await caller.call(deposit(), 'deposit after take-over')).toBe('ok');
    expect(await caller.call(withdraw, 'withdraw after take-over')).toBe('OVERDRAWN');
    expect(caller.codesOf(1)).toHaveLength(before);

    first.resume();
    expect(await first.until('stood down')).toMatchObject({ because: 'WrongLastSequence' });
    await until(() => caller.codesOf(1).length >= before + 30);
    expect(new Set(caller.codesOf(1).slice(before))).toEqual(new Set(['NOT_OWNER']));
    for (let n = 0; n < 10; n++) {
      expect(await caller.call(deposit(), `deposit while stopped ${n}`)).toBe('ok');
    }
    await expectSound();
  });

  it('does not even answer from memory, where nothing would have to be written', async () => {
    const { first, second } = await ownerAndStandby();
    const before = caller.codesOf(1).length;

    first.stop();
    for (let n = 0; n < 10; n++) {
      caller.send(withdraw, `withdraw while stopped ${n}`);
      caller.send(balance, `balance while stopped ${n}`);
    }
    await second.until('owner');
    first.resume();

    await until(() => caller.codesOf(1).length >= before + 20);
    expect(new Set(caller.codesOf(1).slice(before))).toEqual(new Set(['NOT_OWNER']));
    await expectSound();
  });

  it('loses and doubles nothing under load, whoever of the two is stopped in mid-commit', async () => {
    let { first: owner, second: standby } = await ownerAndStandby();
    for (let round = 1; round <= 3; round++) {
      const heard = standby.news.length;
      const load = Array.from({ length: 300 }, async (_, n) => {
        await pass(n);
        return caller.call(deposit(), `deposit ${round}-${n}`);
      });
      await pass(100);
      owner.stop();
      await standby.until('owner', heard);
      const behind = owner.news.length;
      owner.resume();
      await owner.until('stood down', behind);
      expect(new Set(await Promise.all(load))).toEqual(new Set(['ok']));
      [owner, standby] = [standby, owner];
    }
    await expectSound();
  });
});
