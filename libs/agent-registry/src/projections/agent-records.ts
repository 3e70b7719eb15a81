import {
  NO_RECORD,
  withFailure,
  withSuccess,
  type AgentEvent,
  type Performance,
  type TaskEvent,
} from '@athena/contracts';
import { defineProjection, type Projection } from '@athena/projection/define';

/** What the agents of a kind have achieved together (product A3). */
export interface AgentRecordRow {
  readonly project: string;
  readonly kind: string;
  readonly completed: number;
  readonly failed: number;
  /** Over the successes only; null before the first. */
  readonly avg_completion_ms: number | null;
}

/** An attempt's outcome, or a report of work done elsewhere, as it counts for the kind. */
interface CountedOutcome {
  readonly kind: string;
  readonly success: boolean;
  readonly durationMs: number;
}

export const agentRecords: Projection = defineProjection<AgentRecordRow>({
  name: 'agent_records',
  version: 1,
  table: 'agent_records_v1',
  key: ['project', 'kind'],
  columns: [
    { name: 'project', type: 'text' },
    { name: 'kind', type: 'text' },
    { name: 'completed', type: 'int8' },
    { name: 'failed', type: 'int8' },
    { name: 'avg_completion_ms', type: 'float8', nullable: true },
  ],
  aggregates: ['agent', 'task'],
  keyOf(logged) {
    const outcome = outcomeOf(logged as unknown as AgentEvent | TaskEvent);
    return outcome && [logged.project, outcome.kind];
  },
  apply(row, logged) {
    const outcome = outcomeOf(logged as unknown as AgentEvent | TaskEvent);
    if (!outcome) return row;
    const before = row ? performanceOf(row) : NO_RECORD;
    const after = outcome.success ? withSuccess(before, outcome.durationMs) : withFailure(before);
    return {
      project: logged.project,
      kind: outcome.kind,
      completed: after.completed,
      failed: after.failed,
      avg_completion_ms: after.avgCompletionMs,
    };
  },
});

export const performanceOf = (
  row: Pick<AgentRecordRow, 'completed' | 'failed' | 'avg_completion_ms'>,
): Performance => ({
  completed: row.completed,
  failed: row.failed,
  avgCompletionMs: row.avg_completion_ms,
});

/** A vanished agent reported nothing, so that neither a release nor a lost task counts. */
function outcomeOf(event: AgentEvent | TaskEvent): CountedOutcome | null {
  switch (event.type) {
    case 'TaskCompleted':
      return { ...event.data, success: true };
    case 'AttemptFailed':
      return { ...event.data, success: false };
    case 'TaskFailed':
      return event.data.lost ? null : { ...event.data, success: false };
    case 'PerformanceReported':
      return event.data;
    default:
      return null;
  }
}
