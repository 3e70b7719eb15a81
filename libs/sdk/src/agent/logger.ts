export type LogFields = Readonly<Record<string, unknown>>;

/** Any logger that takes a message and fields fits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Warnings and errors on stderr, nothing else. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => console.warn(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
};

/** The same logger with fields added to every line. */
export const withFields = (log: Logger, own: LogFields): Logger => ({
  debug: (message, fields) => log.debug(message, { ...own, ...fields }),
  info: (message, fields) => log.info(message, { ...own, ...fields }),
  warn: (message, fields) => log.warn(message, { ...own, ...fields }),
  error: (message, fields) => log.error(message, { ...own, ...fields }),
});
