import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryBus } from './memory-bus.js';
import type { MemoryConnection } from './memory-connection.js';

const heardBy = (connection: MemoryConnection, subject: string, queue?: string): string[] => {
  const heard: string[] = [];
  const callback = (_error: unknown, message: { subject: string }): void =>
    void heard.push(message.subject);
  connection.subscribe(subject, queue === undefined ? { callback } : { queue, callback });
  return heard;
};

describe('the bus in memory', () => {
  const bus = new MemoryBus({ onTraffic: () => undefined });

  it('matches subjects as NATS does', async () => {
    const connection = bus.connect('a');
    const one = heardBy(connection, 'x.*.z');
    const rest = heardBy(connection, 'x.>');
    for (const subject of ['x', 'x.y', 'x.y.z', 'x.y.z.w']) connection.publish(subject);
    await turn();
    expect(one).toEqual(['x.y.z']);
    expect(rest).toEqual(['x.y', 'x.y.z', 'x.y.z.w']);
    await connection.close();
  });

  it('hands a message to one of a queue group and to all others', async () => {
    const connection = bus.connect('a');
    const group = [heardBy(connection, 's', 'q'), heardBy(connection, 's', 'q')];
    const plain = [heardBy(connection, 's'), heardBy(connection, 's')];
    connection.publish('s');
    await turn();
    expect(group.flat()).toEqual(['s']);
    expect(plain.flat()).toEqual(['s', 's']);
    await connection.close();
  });

  it('says when nobody listens, and when the last connection of a user has closed', async () => {
    const [asking, other] = [bus.connect('b'), bus.connect('b')];
    const gone: string[] = [];
    bus.onGone((user) => gone.push(user));
    const codes: unknown[] = [];
    asking.subscribe('reply', { callback: (_error, { headers }) => codes.push(headers?.code) });
    asking.publish('nobody', '', { reply: 'reply' });
    await turn();
    expect(codes).toEqual([503]);
    await asking.close();
    expect(gone).toEqual([]);
    await other.close();
    expect(gone).toEqual(['b']);
  });
});
