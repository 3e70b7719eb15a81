import type { Command } from './command/command.js';
import { bulkCommand } from './commands/bulk.js';
import { completionCommand } from './commands/completion.js';
import { contextCommands } from './commands/context.js';
import { statusCommand } from './commands/status.js';
import { operationCommands } from './derive/operation-command.js';
import { doctorCommand } from './doctor/doctor-command.js';
import { execCommand } from './exec/exec-command.js';
import { mcpCommand } from './mcp/mcp-command.js';
import { projectionCommands } from './projections/rebuild-command.js';
import { tailCommand } from './tail/tail-command.js';
import { watchCommand } from './watch/watch-command.js';

/** Everything that `athena` can do, in the order of its help. */
export function allCommands(): readonly Command[] {
  const own = [
    ...[statusCommand, doctorCommand, execCommand, mcpCommand, tailCommand, watchCommand],
    bulkCommand,
    ...projectionCommands,
    ...contextCommands,
  ];
  const taken = new Set(own.map(nameOf));
  // Some operations have a command that does more than to call them.
  const derived = operationCommands().filter((command) => !taken.has(nameOf(command)));
  const commands: Command[] = [...derived, ...own];
  commands.push(completionCommand(() => commands));
  return commands.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

const nameOf = ({ path }: Command): string => path.join(' ');
