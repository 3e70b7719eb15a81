import type { KeyRecord } from '@athena/contracts';
import type { Clock, Ids } from '@athena/event-log';
import {
  OVERLOADED,
  Refused,
  newAggregateId,
  type HttpBinding,
  type Operation,
} from '@athena/operation';
import { checkInput, type OperationCaller } from '@athena/service-kit';
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { KeyTable } from '../access/key-table.js';
import type { AccessLog, CallObserver } from './access-log.js';
import { sendProblem } from './adapter.js';
import { actorFor, authenticate } from './authenticate.js';
import { inputReader, type RequestParts } from './input.js';
import type { HostCheck } from './hosts.js';
import { REQUESTS_IN_FLIGHT_MAX } from './limits.js';
import { MCP_PATH, mcpRoute } from './mcp.js';
import { METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE } from './refusals.js';

export interface HttpSurface {
  readonly operations: readonly Operation[];
  readonly caller: OperationCaller;
  readonly keys: Pick<KeyTable, 'check'>;
  readonly log: AccessLog;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Requests under way at most; default REQUESTS_IN_FLIGHT_MAX. */
  readonly requestsMax?: number;
  readonly observeMcp?: CallObserver;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const JSON_TYPE = 'application/json; charset=utf-8';
const ID_RANDOM_BYTES = 8;

/** What an operation's route knows about its request once the key was checked. */
interface Authenticated {
  readonly key: KeyRecord;
  readonly actor: string;
}

/** `/v1/tasks/{taskId}` → `/v1/tasks/:taskId`. */
const routePath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Registers the routes of every operation that has an HTTP binding, and that of MCP. */
export const operationRoutes =
  (surface: HttpSurface, hosts: HostCheck): FastifyPluginCallback =>
  (instance, _options, done) => {
    acceptOnlyJson(instance);
    limitInFlight(instance, surface.requestsMax ?? REQUESTS_IN_FLIGHT_MAX);
    instance.setErrorHandler((error, request, reply) => {
      surface.log.failed(request, error);
      return sendProblem(reply, error);
    });
    for (const operation of surface.operations) {
      if (operation.http) registerRoute(instance, surface, operation, operation.http);
    }
    mcpRoute(instance, surface, hosts);
    refuseOtherMethods(instance, surface.operations);
    done();
  };

function registerRoute(
  instance: FastifyInstance,
  surface: HttpSurface,
  operation: Operation,
  http: HttpBinding,
): void {
  const { caller, keys, clock, ids } = surface;
  const read = inputReader(operation, http);
  const status = http.status ?? 200;
  const tellsSeq = operation.output instanceof z.ZodObject && 'seq' in operation.output.shape;
  const known = new WeakMap<FastifyRequest, Authenticated>();
  instance.route({
    method: http.method,
    url: routePath(http.path),
    ...(http.bodyBytesMax === undefined ? {} : { bodyLimit: http.bodyBytesMax }),
    onRequest: (request, _reply, next) => {
      const key = authenticate(keys, request.headers.authorization);
      surface.log.identified(request, operation, key.keyId);
      known.set(request, { key, actor: actorFor(key, operation) });
      next();
    },
    handler: async (request, reply) => {
      const { key, actor } = known.get(request) as Authenticated;
      const input = checkInput(operation, read(partsOf(request)));
      const { output, seq } = await caller.call(operation, input, {
        id: newAggregateId(clock.now(), 0, ids.random(ID_RANDOM_BYTES)),
        project: key.project,
        actor,
        correlation: request.id,
      });
      const body = tellsSeq ? { ...(output as object), seq } : output;
      reply.code(status).header('athena-seq', String(seq)).header('content-type', JSON_TYPE);
      return JSON.stringify(body);
    },
  });
}

function partsOf({ params, query, body, headers }: FastifyRequest): RequestParts {
  const idempotencyKey = headers['idempotency-key'];
  return {
    params: params as Record<string, string>,
    query: query as Record<string, string | string[]>,
    ...(Buffer.isBuffer(body) ? { body } : {}),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: String(idempotencyKey) }),
  };
}

/** Bodies are kept as bytes: they are read after the key was checked, and by our own reader. */
function acceptOnlyJson(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, next) =>
    next(null, body),
  );
  instance.addHook('onRequest', ({ headers }, _reply, next) => {
    const encoding = headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return next();
    next(Refused.because(UNSUPPORTED_MEDIA_TYPE, 'bodies may not be compressed') as never);
  });
}

/** Requests that wait (long polls too) take memory: beyond a number of them none is let in. */
function limitInFlight(instance: FastifyInstance, requestsMax: number): void {
  let count = 0;
  instance.addHook('onRequest', (_request, reply, next) => {
    if (count >= requestsMax) {
      return next(Refused.because(OVERLOADED, `${requestsMax} requests are under way`) as never);
    }
    count++;
    // Of a client that went away too, which hooks on the answer do not see.
    reply.raw.once('close', () => count--);
    next();
  });
}

/** A path that exists answers 405 with `Allow` to every method that it does not have. */
function refuseOtherMethods(instance: FastifyInstance, operations: readonly Operation[]): void {
  const methodsOf = new Map([[MCP_PATH, new Set<string>(['POST'])]]);
  for (const { http } of operations) {
    if (!http) continue;
    const url = routePath(http.path);
    const methods = methodsOf.get(url) ?? new Set<string>();
    methodsOf.set(url, methods.add(http.method));
    if (http.method === 'GET') methods.add('HEAD');
  }
  for (const [url, methods] of methodsOf) {
    const allow = [...methods].join(', ');
    instance.route({
      method: METHODS.filter((method) => !methods.has(method)),
      url,
      onRequest: (request, reply) => {
        const error = Refused.because(METHOD_NOT_ALLOWED, `${request.method} is not served here`);
        void sendProblem(reply, error, { allow });
      },
      handler: (_request, reply) => reply,
    });
  }
}
