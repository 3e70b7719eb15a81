import { SimulatedTime, type Commit } from '@athena/event-log';
import { describe, expect, it } from '@jest/globals';
import { EVENTS_PER_WRITE_MAX, Inbox, UNWRITTEN_BYTES_MAX } from './inbox.js';

const commit = (seq: number, { bytes = 100, events = 1 } = {}): Commit =>
  ({ seq, bytes, events: Array.from({ length: events }) }) as unknown as Commit;

const seqs = (commits: readonly Commit[] | undefined): number[] =>
  (commits ?? []).map(({ seq }) => seq);

const inboxFrom = (seq: number, time = new SimulatedTime()): Inbox => new Inbox(seq, time);

describe('the inbox between feed and writer', () => {
  it('hands over at once what is there, and together what gathered meanwhile', async () => {
    const inbox = inboxFrom(0);
    const first = inbox.take();
    void inbox.put([commit(1)], 1);
    expect(await first).toMatchObject({ seen: 1 });
    void inbox.put([commit(2)], 2);
    void inbox.put([commit(3)], 4);
    const second = await inbox.take();
    expect(seqs(second?.commits)).toEqual([2, 3]);
    expect(second?.seen).toBe(4);
  });

  it('hands over positions that held nothing for it', async () => {
    const inbox = inboxFrom(5);
    void inbox.put([], 9);
    expect(await inbox.take()).toEqual({ commits: [], seen: 9 });
  });

  it('waits no longer than it is told to', async () => {
    const time = new SimulatedTime();
    const inbox = inboxFrom(5, time);
    const taken = inbox.take(250);
    await time.advance(250);
    expect(await taken).toEqual({ commits: [], seen: 5 });
  });

  it('cuts at a number of events, and stands at the last commit that it handed over', async () => {
    const inbox = inboxFrom(0);
    const half = EVENTS_PER_WRITE_MAX / 2;
    void inbox.put(
      [1, 2, 3].map((seq) => commit(seq, { events: half })),
      7,
    );
    expect(await inbox.take()).toMatchObject({ seen: 2 });
    expect(inbox.events).toBe(half);
    expect(await inbox.take()).toMatchObject({ seen: 7 });
    expect(inbox.events).toBe(0);
  });

  it('hands over a commit that alone has more events than that', async () => {
    const inbox = inboxFrom(0);
    void inbox.put([commit(1, { events: EVENTS_PER_WRITE_MAX + 1 }), commit(2)], 2);
    expect(seqs((await inbox.take())?.commits)).toEqual([1]);
    expect(seqs((await inbox.take())?.commits)).toEqual([2]);
  });

  it('holds the feed back while too many bytes are unwritten', async () => {
    const inbox = inboxFrom(0);
    expect(inbox.put([commit(1, { bytes: UNWRITTEN_BYTES_MAX - 1 })], 1)).toBeUndefined();
    let goOn = false;
    const held = Promise.resolve(inbox.put([commit(2)], 2)).then(() => (goOn = true));
    await new Promise(setImmediate);
    expect(goOn).toBe(false);
    await inbox.take();
    await held;
    expect(goOn).toBe(true);
  });

  it('lets go of the feed and the writer when it is closed', async () => {
    const inbox = inboxFrom(0);
    const held = inbox.put([commit(1, { bytes: UNWRITTEN_BYTES_MAX })], 1);
    inbox.close();
    await held;
    expect(await inbox.take()).toBeNull();
    expect(inbox.put([commit(2)], 2)).toBeUndefined();
  });

  it('tells the writer why it failed', async () => {
    const inbox = inboxFrom(0);
    const taken = inbox.take();
    inbox.fail(new Error('the feed broke'));
    await expect(taken).rejects.toThrow('the feed broke');
  });
});
