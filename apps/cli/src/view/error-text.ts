import { findRefusal } from '@athena/operation';
import { AthenaError } from '@athena/sdk';
import { CommandError, UsageError } from '../command/command.js';
import { plain } from './plain.js';

/** What helps against errors that no refusal of the platform explains. */
const REMEDIES: Readonly<Record<string, string>> = {
  CONNECTION_LOST: 'Is it running, and is that its address? athena doctor looks into it.',
  TIMEOUT: 'Allow more with --timeout, or see what is wrong with athena doctor.',
  INVALID_ANSWER: 'Is --url the address of an Athena gateway?',
  AGENT_ID_TAKEN: 'Choose another --agent-id, or use the key that it was registered with.',
};

/** `code: detail`, then what to do, for stderr. */
export function errorText(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof CommandError) return withRemedy(error.message, error.remedy);
  if (!(error instanceof AthenaError)) {
    return `INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { code, detail, field, requestId, outcomeUnknown } = error;
  const remedy = findRefusal(code)?.remedy ?? REMEDIES[code];
  const where = field === undefined ? '' : ` (field ${plain(field)})`;
  const lines = [
    withRemedy(`${plain(code)}: ${plain(detail)}${where}`, remedy),
    ...(outcomeUnknown ? ['  It may have taken effect.'] : []),
    ...(requestId === undefined ? [] : [`  Request ${plain(requestId)}`]),
  ];
  return lines.join('\n');
}

const withRemedy = (text: string, remedy: string | undefined): string =>
  remedy === undefined ? text : `${text}\n  ${remedy}`;
