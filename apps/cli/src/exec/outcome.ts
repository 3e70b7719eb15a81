import { NonRetryable } from '@athena/sdk';

/** sysexits.h: from EX_USAGE on, a command says that another try would end the same way … */
const SYSEXITS_FIRST = 64;
const SYSEXITS_LAST = 78;
/** … except EX_TEMPFAIL, whose very meaning is “try again later”. */
const EX_TEMPFAIL = 75;

/** How a command ended. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** The last lines of stderr. */
  readonly complaint: string;
  readonly timedOutAfterMs: number | null;
  /** More on stdout than is kept. */
  readonly overflowed: boolean;
}

/** Another attempt may succeed. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    // Our own stack says nothing about somebody's shell command.
    delete this.stack;
  }
}

/** The result of a command that succeeded. @throws CommandFailed, NonRetryable */
export function resultOf(ending: Ending): unknown {
  const { status, signal, stdout, complaint, timedOutAfterMs, overflowed } = ending;
  const because = complaint === '' ? '' : `: ${complaint}`;
  if (timedOutAfterMs !== null) {
    throw new CommandFailed('TIMEOUT', `not done within ${timedOutAfterMs} ms${because}`);
  }
  if (overflowed) {
    throw final('RESULT_TOO_LARGE', 'the command wrote more than a result may hold');
  }
  if (signal !== null) throw new CommandFailed(signal, `ended by ${signal}${because}`);
  if (status === 0) return parsed(stdout);
  const message = complaint || `exit status ${status}`;
  if (isFinal(status ?? 1)) throw final(`EXIT_${status}`, message);
  throw new CommandFailed(`EXIT_${status}`, message);
}

export const isFinal = (status: number): boolean =>
  status >= SYSEXITS_FIRST && status <= SYSEXITS_LAST && status !== EX_TEMPFAIL;

function final(code: string, message: string): NonRetryable {
  const error = new NonRetryable(message, { code });
  delete error.stack;
  return error;
}

/** JSON as it is, anything else as `{text}`, nothing as no result. */
function parsed(stdout: string): unknown {
  const text = stdout.trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { text: stdout.replace(/\r?\n$/, '') };
  }
}
