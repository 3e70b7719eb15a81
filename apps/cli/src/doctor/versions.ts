/** Whether `2.12.1` or `v20.19.0-rc.1` is at least `[2, 12]`; false for what is no version. */
export function isAtLeast(version: string, least: readonly number[]): boolean {
  const [, ...parts] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (parts.length === 0) return false;
  for (const [index, wanted] of least.entries()) {
    const part = Number(parts[index] ?? 0);
    if (part !== wanted) return part > wanted;
  }
  return true;
}
