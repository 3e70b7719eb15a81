import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from './data-source.js';
import { isPassing } from './failures.js';
import { createPool } from './pool.js';

/** One message of Postgres' wire protocol: a letter, the length with itself, the body. */
function message(letter: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(letter), length, body]);
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const DYING = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

let dying: Server;
let url: string;

beforeAll(async () => {
  dying = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, DYING])));
  });
  dying.listen(0, '127.0.0.1');
  await once(dying, 'listening');
  url = `postgres://a:b@127.0.0.1:${(dying.address() as AddressInfo).port}/c`;
});
afterAll(() => new Promise((closed) => dying.close(closed)));

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describe('a server that dies in the same breath as it lets somebody in', () => {
  it('is an error of the first query, which may pass, and no end of the process', async () => {
    const pool = createPool(url);
    const client = await pool.connect();
    const error = await failureOf(client.query('select 1'));
    expect(error).toBeInstanceOf(Error);
    expect(isPassing(error)).toBe(true);
    client.release(true);
    await pool.end();
  });

  it('can’t end a process that brings the schema up to date', async () => {
    const settings = { url, entities: [], migrations: [], waitMs: 0 };
    await expect(createDataSource(settings)).rejects.toThrow(/Postgres can't be used/);
  });
});
