/**
 * Lines for the person who watches: `athena: 1.2s nats-server is ready`.
 * @param {{ write?: (text: string) => void, now?: () => number }} [options]
 * @returns {{ report: (line: string) => void, announce: (line: string) => void }} `announce` is for
 *   the lines that other programs wait for; they carry no time.
 */
export function createProgress({
  write = (text) => void process.stdout.write(text),
  now = Date.now,
} = {}) {
  const startedAt = now();
  return {
    report: (line) => write(`athena: ${((now() - startedAt) / 1000).toFixed(1)}s ${line}\n`),
    announce: (line) => write(`athena: ${line}\n`),
  };
}
