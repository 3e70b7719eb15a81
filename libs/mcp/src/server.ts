import { Refused } from '@athena/operation';
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { CallToolResult, Tool as ListedTool } from '@modelcontextprotocol/server';
import type { ToolCaller } from './calling.js';
import { refusalOf } from './refusal.js';
import type { Arguments, Planned, Tool } from './tool.js';
import { tools } from './tools.js';

const SERVER = { name: 'athena', title: 'Athena', version: '0.1.0' };
const INSTRUCTIONS =
  'Hands tasks to agents that can do them. Create tasks with the capabilities they require, ' +
  'register agents with theirs; tasks go to the best capable agent by themselves.';
/** Tools change only when Athena is upgraded. */
const TOOLS_TTL_MS = 300_000;

const byName = new Map(tools.map((tool) => [tool.definition.name, tool]));

/** One server, for one request over HTTP or one connection over stdio. */
export function toolServer(caller: ToolCaller): Server {
  const server = new Server(SERVER, {
    capabilities: { tools: {} },
    instructions: INSTRUCTIONS,
    cacheHints: { 'tools/list': { ttlMs: TOOLS_TTL_MS, cacheScope: 'private' } },
  });
  server.setRequestHandler('tools/list', () => ({
    tools: tools
      .filter(permittedTo(caller))
      .map(({ definition }) => definition as unknown as ListedTool),
  }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const tool = byName.get(params.name);
    if (!tool) {
      const name = params.name.slice(0, NAME_LENGTH_MAX);
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${name}`);
    }
    return called(tool, params.arguments ?? {}, caller, mcpReq.signal);
  });
  return server;
}

const NAME_LENGTH_MAX = 100;

const permittedTo =
  (caller: ToolCaller) =>
  ({ operations }: Tool): boolean =>
    operations.some((operation) => caller.permits(operation));

async function called(
  tool: Tool,
  given: Arguments,
  caller: ToolCaller,
  signal: AbortSignal,
): Promise<CallToolResult> {
  let planned: Planned | undefined;
  try {
    planned = tool.plan(given);
    const output = await caller.call(planned.operation, planned.input, signal);
    return resultOf(planned.answer(output));
  } catch (error) {
    if (!(error instanceof Refused)) caller.failed(error);
    const refusal = refusalOf(error);
    const { code, detail, field } = planned ? planned.explain(refusal) : refusal;
    return { ...resultOf({ code, detail, ...(field && { field }) }), isError: true };
  }
}

/** Hosts of today read the one form or the other. */
const resultOf = (answer: Record<string, unknown>): CallToolResult => ({
  structuredContent: answer,
  content: [{ type: 'text', text: JSON.stringify(answer) }],
});
