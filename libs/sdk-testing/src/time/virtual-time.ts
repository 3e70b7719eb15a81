import { SimulatedTime } from '@athena/event-log';

/**
 * Turns of the event loop without any sign of life after which all counts as quiet. What happens
 * between two signs (messages, timers) takes one turn at most: calls gather for one.
 */
const QUIET_TURNS = 3;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Simulated time that goes on only when everything that doesn't wait for it has been done. */
export class VirtualTime extends SimulatedTime {
  #signs = 0;

  /** Something happens that others may react to. */
  readonly stir = (): void => {
    this.#signs += 1;
  };

  /** Whole milliseconds, as of a machine's clock: else what is due could be so a moment later. */
  override after(ms: number, callback: () => void): () => void {
    this.stir();
    return super.after(Math.ceil(ms), callback);
  }

  override async settle(): Promise<void> {
    let seen = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await turn();
      if (this.#signs !== seen) quiet = 0;
      seen = this.#signs;
    }
  }
}
