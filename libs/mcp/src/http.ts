import { createMcpHandler } from '@modelcontextprotocol/server';
import type { ToolCaller } from './calling.js';
import { toolServer } from './server.js';

/** Tools do not change while a process runs, so nobody needs to listen for that for long. */
const SUBSCRIPTIONS_MAX = 100;

export interface McpRequest {
  /** The caller was authenticated before; this is what its calls go through. */
  readonly caller: ToolCaller;
  /** The parsed JSON. */
  readonly body: unknown;
}

export interface McpEndpoint {
  /** Answers one POST, whatever revision of the protocol it speaks. */
  answer(request: Request, parts: McpRequest): Promise<Response>;
  close(): Promise<void>;
}

/**
 * MCP over streamable HTTP without sessions: revision 2026-07-28 and, from the same tools, the
 * ones before it. Who calls, and from where, is checked before.
 */
export function mcpEndpoint(): McpEndpoint {
  const handler = createMcpHandler(
    ({ authInfo }) => toolServer(authInfo?.extra?.['caller'] as ToolCaller),
    { maxSubscriptions: SUBSCRIPTIONS_MAX },
  );
  return {
    answer: (request, { caller, body }) =>
      handler.fetch(request, {
        parsedBody: body,
        authInfo: { token: '', clientId: '', scopes: [], extra: { caller } },
      }),
    close: () => handler.close(),
  };
}
