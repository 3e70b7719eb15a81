// npm passes a Ctrl-C on that the terminal has given us already: that is one request, not two.
const SAME_REQUEST_MS = 1_000;

/**
 * @typedef {object} StopRequest
 * @property {AbortSignal} signal Aborted at the first request to stop.
 * @property {(reason: string) => void} ask
 * @property {() => void} close
 */

/**
 * Listens for Ctrl-C, SIGTERM and the end of the terminal. A second request, once the first one is
 * surely over, forces.
 * @param {{ onForce: () => void, report: (line: string) => void, source?: NodeJS.Process,
 *   now?: () => number }} options
 * @returns {StopRequest}
 */
export function listenForStop({ onForce, report, source = process, now = Date.now }) {
  const stopping = new AbortController();
  let askedAt = 0;
  /** @param {string} reason */
  const ask = (reason) => {
    if (!stopping.signal.aborted) {
      askedAt = now();
      report(`${reason}, stopping`);
      stopping.abort(new Error(reason));
    } else if (now() - askedAt > SAME_REQUEST_MS) {
      report('stopping by force');
      onForce();
    }
  };
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = [
    ['SIGINT', () => ask('interrupted')],
    ['SIGTERM', () => ask('terminated')],
    ['SIGHUP', () => ask('the terminal was closed')],
  ];
  for (const [name, handler] of handlers) source.on(name, handler);
  const close = () => {
    for (const [name, handler] of handlers) source.off(name, handler);
  };
  return { signal: stopping.signal, ask, close };
}
