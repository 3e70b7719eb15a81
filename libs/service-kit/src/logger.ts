import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import type { Config } from './config.js';

/** Structured JSON lines on stdout: time (ISO 8601), level, service, msg and the line's fields. */
export const createLogger = (service: string, level: Config['logLevel']): Logger =>
  pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['*.password', '*.apiKey', '*.authorization', 'password', 'apiKey', 'authorization'],
  });

/** Nest's own lines through pino; what it says about starting up is for debugging. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...more: unknown[]): void {
    this.#logger.debug(contextOf(more), text(message));
  }
  debug(message: unknown, ...more: unknown[]): void {
    this.#logger.debug(contextOf(more), text(message));
  }
  verbose(message: unknown, ...more: unknown[]): void {
    this.#logger.trace(contextOf(more), text(message));
  }
  warn(message: unknown, ...more: unknown[]): void {
    this.#logger.warn(contextOf(more), text(message));
  }
  error(message: unknown, ...more: unknown[]): void {
    const fields = message instanceof Error ? { err: message } : {};
    this.#logger.error({ ...fields, ...contextOf(more) }, text(message));
  }
  fatal(message: unknown, ...more: unknown[]): void {
    this.#logger.fatal(contextOf(more), text(message));
  }
}

const text = (message: unknown): string =>
  message instanceof Error ? message.message : String(message);

/** Nest hands its context over as the last argument; a stack may come before it. */
function contextOf(more: readonly unknown[]): { context?: unknown; stack?: unknown } {
  const context = more.at(-1);
  const stack = more.length > 1 ? more[0] : undefined;
  return { ...(context !== undefined && { context }), ...(stack !== undefined && { stack }) };
}
