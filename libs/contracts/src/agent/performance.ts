/** An agent kind's record. Durations are milliseconds and come from successes only. */
export interface Performance {
  readonly completed: number;
  readonly failed: number;
  readonly avgCompletionMs: number | null;
}

export const NO_RECORD: Performance = { completed: 0, failed: 0, avgCompletionMs: null };

/** Product A3: completed ÷ (completed + failed), 1 before any outcome. */
export const successRate = ({ completed, failed }: Performance): number =>
  completed + failed === 0 ? 1 : completed / (completed + failed);

/** Counts one more success: newAvg = (oldAvg × oldCount + durationMs) ÷ (oldCount + 1). */
export const withSuccess = (record: Performance, durationMs: number): Performance => ({
  ...record,
  completed: record.completed + 1,
  avgCompletionMs:
    ((record.avgCompletionMs ?? 0) * record.completed + durationMs) / (record.completed + 1),
});

/** Counts one more failure; its duration never counts. */
export const withFailure = (record: Performance): Performance => ({
  ...record,
  failed: record.failed + 1,
});
