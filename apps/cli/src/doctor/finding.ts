/** What one check found. `remedy` says what to do about it. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
}

type Found = (check: string, detail: string, remedy?: string) => Finding;

export const ok: Found = (check, detail) => ({ check, level: 'ok', detail });
export const warn: Found = (check, detail, remedy) => ({
  check,
  level: 'warn',
  detail,
  ...(remedy === undefined ? {} : { remedy }),
});
export const fail: Found = (check, detail, remedy) => ({
  ...warn(check, detail, remedy),
  level: 'fail',
});

export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause && cause !== error.message ? `${error.message}: ${cause}` : error.message;
};
