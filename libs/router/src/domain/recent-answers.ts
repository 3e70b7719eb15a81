import type { ClaimAnswer } from './claim-book.js';

export const RECENT_ANSWERS_MAX = 10_000;
export const RECENT_ANSWERS_BYTES_MAX = 32 * 1024 * 1024;
/** Longer than anyone who lost an answer takes to ask again. */
export const RECENT_ANSWER_MS = 60_000;

interface Recent {
  readonly answer: ClaimAnswer;
  readonly bytes: number;
  readonly until: number;
}

/** Answers with tasks that were given lately, so that a repeated claim gets the same. */
export class RecentAnswers {
  readonly #answers = new Map<string, Recent>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }
  get size(): number {
    return this.#answers.size;
  }

  find(agentKey: string, claimId: string): ClaimAnswer | undefined {
    return this.#answers.get(`${agentKey}/${claimId}`)?.answer;
  }

  remember(
    agentKey: string,
    claimId: string,
    answer: ClaimAnswer,
    { bytes, now }: { readonly bytes: number; readonly now: number },
  ): void {
    const key = `${agentKey}/${claimId}`;
    this.#forget(key);
    this.#answers.set(key, { answer, bytes, until: now + RECENT_ANSWER_MS });
    this.#bytes += bytes;
    this.trim(now);
  }

  /** Forgets what is too old or too much, the oldest first. */
  trim(now: number): void {
    for (const [key, { until }] of this.#answers) {
      const tooMuch =
        this.#answers.size > RECENT_ANSWERS_MAX || this.#bytes > RECENT_ANSWERS_BYTES_MAX;
      if (!tooMuch && until > now) return;
      this.#forget(key);
    }
  }

  clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
  }

  #forget(key: string): void {
    const known = this.#answers.get(key);
    if (!known) return;
    this.#answers.delete(key);
    this.#bytes -= known.bytes;
  }
}
