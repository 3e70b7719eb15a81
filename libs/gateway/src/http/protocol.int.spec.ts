import { until } from '@athena/testing';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import type { Gateway } from '../gateway.js';
import { GatewayWorld, ROOT_KEY, askAt, type Ask } from '../gateway.scenario.js';

const PATH = '/v1/tasks';
const TASK = '01890000-0000-8000-8000-000000000000';
const POST = `POST ${PATH} HTTP/1.1\r\nHost: x\r\n`;
const task = (content: string): string => `{"taskType":"x","content":${content}}`;
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

let world: GatewayWorld;
let gateway: Gateway;
let ask: Ask;
beforeAll(async () => {
  world = await GatewayWorld.start();
  gateway = await world.gateway();
  ask = askAt(gateway);
});
afterAll(() => world.stop());
beforeEach(() => {
  world.services.reset();
  world.lines.length = 0;
});

const post = (body: string | Uint8Array, headers = {}): ReturnType<Ask> =>
  ask('POST', PATH, { body, headers });

/** Writes bytes to a fresh connection and gives back all that comes until it closes. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(gateway.port as number, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });

describe('a body', () => {
  it.each([
    ['that is cut off', '{"content":'],
    ['with bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['nested too deep', task(nested(50))],
    ['nested a hundred thousand deep', task(nested(100_000))],
    ['with __proto__ inside', task('{"a":{"__proto__":{"x":1}}}')],
    ['with __proto__ written in escapes', task('{"\\u005f_proto__":1}')],
    ['with half a surrogate pair', task('"\\ud800"')],
    ['with NUL', task('"a\\u0000"')],
    ['with constructor.prototype', task('{"constructor":{"prototype":{}}}')],
  ])('%s is refused with 400', async (_name, body) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
    expect(world.services.commands).toEqual([]);
  });

  it('over the limit is refused with 413, declared or not', async () => {
    const large = `{"content":"${'x'.repeat(limits.REQUEST_BYTES_MAX)}"}`;
    const declared = await post(large);
    expect(declared).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });

    const chunks = Array.from({ length: 20 }, () => 'x'.repeat(64 * 1024));
    const body = chunks.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('');
    const answer = await raw(
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ROOT_KEY}\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"PAYLOAD_TOO_LARGE"');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'multipart/form-data',
  ])('of type %s is refused with 415', async (type) => {
    expect(await post('{}', { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'UNSUPPORTED_MEDIA_TYPE' },
    });
  });

  it('that is compressed is refused, whatever it would unfold to', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const answer = await post(bomb, { 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  });

  it('that names a key twice counts with the last, for us and everybody behind', async () => {
    await post('{"taskType":"first","taskType":"last","content":1}');
    expect(world.services.sent('task.create')[0]?.input).toMatchObject({ taskType: 'last' });
  });

  it('keeps texts as they are: instructions, markup, formulas, harmless keys', async () => {
    const content = {
      text: 'ignore your instructions <script>alert(1)</script> =1+1 \u{1f4a3}',
      constructor: 'Ferrari',
    };
    await post(JSON.stringify({ taskType: 'x', content }));
    expect(world.services.sent('task.create')[0]?.input).toMatchObject({ content });
  });
});

describe('a request', () => {
  it('for a path that is not served is answered 404', async () => {
    for (const path of ['/v1/nothing', '/nothing', '/v1', '/v2/tasks', '/v1//tasks']) {
      const answer = await ask('GET', path);
      expect(answer).toMatchObject({ status: 404, body: { code: 'UNKNOWN_OPERATION' } });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it('with a method that its path lacks is answered 405 with those it has', async () => {
    const answer = await ask('PATCH', PATH, { body: {} });
    expect(answer).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    expect((await ask('OPTIONS', PATH)).status).toBe(405);
  });

  it.each([
    ['a broken escape in its path', `/v1/tasks/%E0%A4%A`, 400],
    ['a path parameter without end', `/v1/tasks/${'x'.repeat(2_000)}`, 400],
    ['a query that is too long for its parameter', `${PATH}?cursor=${'x'.repeat(2_000)}`, 400],
  ])('with %s is refused as a problem', async (_name, path, status) => {
    const answer = await ask('GET', path);
    expect(answer).toMatchObject({ status, body: { code: 'INVALID_INPUT' } });
    expect(answer.body['requestId']).toEqual(expect.any(String));
  });

  it.each([
    ['that is no HTTP', 'HELO athena\r\n\r\n', '400'],
    ['without Host', `GET ${PATH} HTTP/1.1\r\n\r\n`, '400'],
    ['with two lengths', `${POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}`, '400'],
    [
      'with a length and chunks',
      `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    [
      'with endless headers',
      `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
  ])('%s is refused on the socket', async (_name, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/node:|\.js\b|Parse Error/);
  });
});

describe('the document', () => {
  it('is public, for REST and for NATS, and what the front page leads to', async () => {
    const document = await ask('GET', '/openapi.json', { key: null });
    expect(document.body).toMatchObject({ openapi: '3.1.0', paths: { '/v1/tasks': {} } });

    const async = await ask('GET', '/asyncapi.json', { key: null });
    expect(async.body).toMatchObject({ asyncapi: '3.0.0', channels: { 'app.task.create': {} } });

    const front = await ask('GET', '/', { key: null });
    expect(front.status).toBe(302);
    // Jest can't load the package that serves the page's files; the built gateway leads to /docs.
    expect(front.headers.get('location')).toMatch(/^\/(docs|openapi\.json)$/);
  });
});

describe('requests under way', () => {
  it('are limited; whoever goes away makes room', async () => {
    const narrow = await world.gateway({
      http: { host: '127.0.0.1', port: 0, requestsMax: 2 },
    });
    const url = `http://127.0.0.1:${narrow.port}${PATH}/${TASK}?wait=30s`;
    world.services.silent('task.get');
    const waiting = [new AbortController(), new AbortController()];
    const authorization = { authorization: `Bearer ${ROOT_KEY}` };
    const gone = waiting.map(({ signal }) => fetch(url, { signal, headers: authorization }));
    await until(
      () => world.services.sent('task.get').length === 2,
      () => 'two requests under way',
    );

    const third = await askAt(narrow)('GET', '/v1/queue/metrics');

    expect(third).toMatchObject({ status: 429, body: { code: 'OVERLOADED', retryable: true } });
    expect(third.headers.get('retry-after')).toBe('1');
    for (const request of waiting) request.abort();
    await Promise.allSettled(gone);
    let status = 429;
    while (status === 429) ({ status } = await askAt(narrow)('GET', '/v1/queue/metrics'));
    expect(status).toBe(200);
  });
});
