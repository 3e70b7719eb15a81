/*
 * An owner tells everyone that it is open, so that calls which died with the owner before are
 * repeated at once instead of after their time is up. Only a hint: nothing rests on it.
 */
const COMMANDS_PREFIX = 'athena.cmd.';
export const OPENED_PREFIX = 'athena.opened.';

/** `athena.cmd.task.0` → `athena.opened.task.0`. */
export const openedSubject = (commands: string): string =>
  OPENED_PREFIX + commands.slice(COMMANDS_PREFIX.length);

export const encodeOpened = (epoch: number): string => JSON.stringify({ epoch });

/** Who opened, or null where it can't be read. */
export function decodeOpened(
  subject: string,
  bytes: Uint8Array,
): { subject: string; epoch: number } | null {
  try {
    const { epoch } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { epoch: unknown };
    const commands = COMMANDS_PREFIX + subject.slice(OPENED_PREFIX.length);
    return Number.isSafeInteger(epoch) ? { subject: commands, epoch: epoch as number } : null;
  } catch {
    return null;
  }
}
