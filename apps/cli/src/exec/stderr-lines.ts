/** Kept of a command's stderr for the error of a failed attempt. */
export const COMPLAINT_LINES_MAX = 20;
export const COMPLAINT_LENGTH_MAX = 1_500;
/** A line that never ends is cut into pieces of this length. */
const LINE_LENGTH_MAX = 8_192;

export interface Progress {
  readonly percent: number;
  readonly message: string | undefined;
}

/** `progress 50 half way` → how far the command says that it is. */
export function progressOf(line: string): Progress | undefined {
  const [, percent, message] = /^progress (\d{1,3}(?:\.\d+)?)(?: (.+))?$/.exec(line) ?? [];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return { percent: Number(percent), message };
}

/** Takes stderr apart into lines: progress goes one way, all others another; the last are kept. */
export class StderrLines {
  readonly #onProgress: (progress: Progress) => void;
  readonly #onLine: (line: string) => void;
  readonly #last: string[] = [];
  #open = '';

  constructor(onProgress: (progress: Progress) => void, onLine: (line: string) => void) {
    this.#onProgress = onProgress;
    this.#onLine = onLine;
  }

  push(text: string): void {
    const lines = (this.#open + text).split(/\r?\n/);
    this.#open = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    while (this.#open.length > LINE_LENGTH_MAX) {
      this.#take(this.#open.slice(0, LINE_LENGTH_MAX));
      this.#open = this.#open.slice(LINE_LENGTH_MAX);
    }
  }

  end(): void {
    if (this.#open !== '') this.#take(this.#open);
    this.#open = '';
  }

  /** The last lines that were no progress. */
  get complaint(): string {
    return this.#last.join('\n').trim().slice(-COMPLAINT_LENGTH_MAX);
  }

  #take(line: string): void {
    const progress = progressOf(line);
    if (progress) return this.#onProgress(progress);
    this.#last.push(line);
    if (this.#last.length > COMPLAINT_LINES_MAX) this.#last.shift();
    this.#onLine(line);
  }
}
