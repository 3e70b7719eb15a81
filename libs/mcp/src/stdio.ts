import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { ToolCaller } from './calling.js';
import { toolServer } from './server.js';

export interface McpStdio {
  /** Resolves when the host has closed its end, or after `close`. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** MCP over this process's standard input and output; nothing else may write to the latter. */
export function mcpStdio(caller: ToolCaller): McpStdio {
  const handle = serveStdio(() => toolServer(caller), {
    onerror: (error) => caller.failed(error),
  });
  const closed = new Promise<void>((resolve) => process.stdin.once('close', resolve));
  return { closed, close: () => handle.close() };
}
