import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { limits } from '@athena/contracts';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DOCS_PATH } from './docs.js';
import * as http from './limits.js';
import { PROBLEM_TYPE, problemHeaders, problemOf, refusalOf } from './problem.js';

/** Answers are data: a browser that is made to show one as a page may load and run nothing. */
const JSON_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** The page has its own scripts and styles; some of its styles are written into the page. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const REQUEST_ID_PREFIX_BYTES = 6;

/** A caller's own request id where it is one plain token, else a new one. */
function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId();
}

/** Unique without asking for chance on every request: the process's own prefix, and a count. */
const prefix = randomBytes(REQUEST_ID_PREFIX_BYTES).toString('base64url');
let count = 0;
const newRequestId = (): string => prefix + (count++).toString(36).padStart(8, '0');

/** Answers with the problem that an error is; of unexpected ones nothing is shown. */
export function sendProblem(
  reply: FastifyReply,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const problem = problemOf(refusalOf(error), reply.request.id);
  return reply
    .code(problem.status)
    .headers({ ...problemHeaders(problem), ...headers })
    .header('content-type', PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** Nest's Fastify adapter with the gateway's limits, request ids and security headers. */
export function gatewayAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    logger: false,
    bodyLimit: limits.REQUEST_BYTES_MAX,
    connectionTimeout: http.SOCKET_SILENCE_MS,
    requestTimeout: http.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: http.KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: http.HEADER_BYTES_MAX, headersTimeout: http.HEADERS_TIMEOUT_MS },
    routerOptions: { maxParamLength: http.PATH_PARAMETER_LENGTH_MAX },
    requestIdHeader: false,
    genReqId: requestIdOf,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      secure(request, reply);
      void sendProblem(reply, error);
    },
    clientErrorHandler: answerMalformed,
  });
  const instance = adapter.getInstance();
  instance.server.maxConnections = http.CONNECTIONS_MAX;
  instance.addHook('onRequest', (request, reply, done) => {
    secure(request, reply);
    done();
  });
  return adapter;
}

function secure({ id, url }: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', id);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('x-frame-options', 'DENY');
  reply.header('referrer-policy', 'no-referrer');
  reply.header('content-security-policy', url.startsWith(DOCS_PATH) ? DOCS_POLICY : JSON_POLICY);
  if (url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
}

/** What is not HTTP at all never becomes a request: it is answered on the socket and closed. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy(error);
  const status = STATUS_OF_SOCKET_ERROR[error.code ?? ''] ?? 400;
  const problem = problemOf(refusalOf({ statusCode: status }), newRequestId());
  const body = JSON.stringify({ ...problem, status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
}

const STATUS_OF_SOCKET_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
