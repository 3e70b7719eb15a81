import { mcpStdio, type McpStdio, type ToolCaller } from '@athena/mcp';
import { Refused } from '@athena/operation';
import { AthenaClient, AthenaError } from '@athena/sdk';

export interface StdioOptions {
  /** The gateway's address, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly apiKey: string;
}

/**
 * Serves MCP on this process's standard input and output by calling the gateway. The gateway
 * checks inputs and scopes; here nothing is known of the key, so every tool is listed.
 */
export async function serveStdio(options: StdioOptions): Promise<McpStdio> {
  const client = await AthenaClient.connect(options);
  const serving = mcpStdio(callerOver(client));
  const closed = serving.closed.then(() => client.close());
  return { closed, close: () => serving.close().then(() => client.close()) };
}

const callerOver = (client: AthenaClient): ToolCaller => ({
  permits: () => true,
  call: async (operation, input, signal) => {
    try {
      return await client.call(operation, input, { signal });
    } catch (error) {
      throw error instanceof AthenaError ? refusedAs(error) : error;
    }
  },
  failed: (error) => void process.stderr.write(`athena mcp: ${String(error)}\n`),
});

const refusedAs = ({ code, detail, retryable, field }: AthenaError): Refused =>
  new Refused({ code, detail, retryable, ...(field === undefined ? {} : { field }) });
