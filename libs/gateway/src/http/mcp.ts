import { Readable } from 'node:stream';
import type { KeyRecord } from '@athena/contracts';
import { mcpEndpoint, type McpEndpoint, type ToolCaller } from '@athena/mcp';
import { FORBIDDEN, INTERNAL, Refused, newAggregateId, type Operation } from '@athena/operation';
import { checkInput, parseJson } from '@athena/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actorFor, authenticate } from './authenticate.js';
import type { HostCheck } from './hosts.js';
import type { HttpSurface } from './routes.js';

export const MCP_PATH = '/mcp';
/** The protocol does not look at the address; hosts were checked before. */
const PROTOCOL_URL = `http://localhost${MCP_PATH}`;
const PROTOCOL_HEADER = /^(accept|content-type|last-event-id|mcp-.*)$/;
const ID_RANDOM_BYTES = 8;

/** MCP beside REST: the same keys, scopes, limits and operations. */
export function mcpRoute(instance: FastifyInstance, surface: HttpSurface, hosts: HostCheck): void {
  const endpoint = mcpEndpoint();
  const known = new WeakMap<FastifyRequest, KeyRecord>();
  instance.addHook('onClose', () => endpoint.close());
  instance.route({
    method: 'POST',
    url: MCP_PATH,
    onRequest: (request, _reply, next) => {
      hosts.check(request.headers);
      const key = authenticate(surface.keys, request.headers.authorization);
      surface.log.identified(request, null, key.keyId);
      known.set(request, key);
      next();
    },
    handler: (request, reply) => {
      const caller = callerFor(surface, known.get(request) as KeyRecord, request);
      return answer(endpoint, caller, request, reply);
    },
  });
}

async function answer(
  endpoint: McpEndpoint,
  caller: ToolCaller,
  { body, headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const request = new Request(PROTOCOL_URL, {
    method: 'POST',
    headers: Object.entries(headers)
      .filter(([name]) => PROTOCOL_HEADER.test(name))
      .map(([name, value]): [string, string] => [name, String(value)]),
    signal: left.signal,
  });
  const parsed = parseJson(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  const response = await endpoint.answer(request, { caller, body: parsed });
  reply.code(response.status).header('cache-control', 'no-store');
  response.headers.forEach((value, name) => void reply.header(name, value));
  return reply.send(response.body ? Readable.fromWeb(response.body as never) : null);
}

/** What a key may do, done as REST does it, with every call counted as one of MCP's. */
function callerFor(surface: HttpSurface, key: KeyRecord, request: FastifyRequest): ToolCaller {
  const { caller, clock, ids, log } = surface;
  const call = async (operation: Operation, raw: unknown): Promise<unknown> => {
    const actor = actorFor(key, operation);
    const { output, seq } = await caller.call(operation, checkInput(operation, raw), {
      id: newAggregateId(clock.now(), 0, ids.random(ID_RANDOM_BYTES)),
      project: key.project,
      actor,
      correlation: request.id,
    });
    return { ...(output as object), seq };
  };
  const observed = async (operation: Operation, run: () => Promise<unknown>): Promise<unknown> => {
    const began = performance.now();
    let code: string | undefined = INTERNAL.code;
    try {
      const output = await run();
      code = undefined;
      return output;
    } catch (error) {
      log.failed(request, error);
      if (error instanceof Refused) code = error.refusal.code;
      throw error;
    } finally {
      surface.observeMcp?.(operation.name, performance.now() - began, code);
    }
  };
  return {
    permits: (operation) => isPermitted(key, operation),
    failed: (error) => log.unexpected(request, error),
    call: (operation, raw) => observed(operation, () => call(operation, raw)),
  };
}

function isPermitted(key: KeyRecord, operation: Operation): boolean {
  try {
    return Boolean(actorFor(key, operation));
  } catch (error) {
    if (error instanceof Refused && error.refusal.code === FORBIDDEN.code) return false;
    throw error;
  }
}
