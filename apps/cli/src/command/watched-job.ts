import type { World } from '../world.js';

const LOOK_MS = 500;
/** Where the output is no terminal, progress is told in steps of this share. */
const STEP = 0.1;

/** Work of the platform that goes on whether somebody watches it or not. */
export interface Watched<J extends { readonly state: string }> {
  readonly isOver: (job: J) => boolean;
  /** How it stands now; undefined: it can't be asked now. */
  readonly look: (job: J, signal: AbortSignal) => Promise<J | undefined>;
  /** How much is done, 0 to 1. */
  readonly share: (job: J) => number;
  readonly line: (job: J) => string;
}

/** Turns the watching off. */
export const detach = (instead: string) =>
  ({ name: 'detach', kind: 'boolean', summary: `only ask for it; ${instead}` }) as const;

/** The job as it stands in the end, or when the watching was stopped. */
export async function watch<J extends { readonly state: string }>(
  asked: J,
  watched: Watched<J>,
  world: World,
): Promise<J> {
  const stopped = new AbortController();
  const forget = world.onStop(() => stopped.abort());
  const show = progressOf(watched, world);
  let job = asked;
  try {
    for (show(job); !watched.isOver(job) && !stopped.signal.aborted; show(job)) {
      await pause(stopped.signal);
      job = (await watched.look(job, stopped.signal)) ?? job;
    }
  } finally {
    world.redraw?.('');
    forget();
  }
  return job;
}

/** On a terminal one line that is drawn anew; elsewhere a line at each step. */
function progressOf<J extends { readonly state: string }>(
  { isOver, share, line }: Watched<J>,
  world: World,
): (job: J) => void {
  let told = '';
  return (job) => {
    if (isOver(job)) return;
    if (world.redraw) return world.redraw(line(job));
    const step = `${job.state} ${Math.floor(share(job) / STEP)}`;
    if (step !== told) world.err(line(job));
    told = step;
  };
}

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => (clearTimeout(timer), resolve());
    const timer = setTimeout(done, LOOK_MS);
    signal.addEventListener('abort', done, { once: true });
  });
