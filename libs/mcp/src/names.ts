/**
 * The one mapping between the names of operations (camelCase) and those of tools (snake_case).
 * Names of operations begin with a small letter and hold letters and digits only, so that each of
 * the two functions undoes the other.
 */
export const snakeName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const camelName = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
