import type { Command } from './command/command.js';
import { completionCommand } from './commands/completion.js';
import { contextCommands } from './commands/context.js';
import { statusCommand } from './commands/status.js';
import { operationCommands } from './derive/operation-command.js';
import { doctorCommand } from './doctor/doctor-command.js';
import { execCommand } from './exec/exec-command.js';
import { mcpCommand } from './mcp/mcp-command.js';
import { tailCommand } from './tail/tail-command.js';

/** Everything that `athena` can do, in the order of its help. */
export function allCommands(): readonly Command[] {
  const own = [statusCommand, doctorCommand, execCommand, mcpCommand, tailCommand];
  const commands: Command[] = [...operationCommands(), ...own, ...contextCommands];
  commands.push(completionCommand(() => commands));
  return commands.sort((a, b) => a.path.join(' ').localeCompare(b.path.join(' ')));
}
