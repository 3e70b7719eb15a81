/**
 * A failure whose message is written for the person who started the stack: shown without a stack.
 */
export class StackError extends Error {
  /**
   * @param {string} message What went wrong and what to do about it.
   * @param {{ status?: number, cause?: unknown }} [options] `status`: the exit status it leads to.
   */
  constructor(message, { status = 1, cause } = {}) {
    super(message, { cause });
    this.name = 'StackError';
    this.status = status;
  }
}

/** @param {unknown} error @returns {string} The error's message, whatever was thrown. */
export function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}
