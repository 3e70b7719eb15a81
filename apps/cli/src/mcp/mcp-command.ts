import { type Command, EXIT_OK } from '../command/command.js';
import { whereTo } from '../command/global-flags.js';
import { findTarget } from '../place/target.js';
import { serveStdio } from './serve-stdio.js';

export const mcpCommand: Command = {
  path: ['mcp'],
  summary: 'Serve MCP on standard input and output, for hosts that start their servers.',
  positionals: [],
  flags: [...whereTo],
  notes: ['Ends when the host closes standard input. Hosts that speak HTTP use POST /mcp.'],
  async run(given, world) {
    const { closed } = await serveStdio(await findTarget(given, world));
    await closed;
    return EXIT_OK;
  },
};
