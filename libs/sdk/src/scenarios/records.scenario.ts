import type { TaskRecord } from '@athena/contracts';

export const TASK_ID = '01890000-0000-8000-8000-000000000001';
export const OTHER_ID = '01890000-0000-8000-8000-000000000002';

/** A task's record as the platform shows it. */
export const taskRecordOf = (given: Partial<TaskRecord> = {}): TaskRecord => ({
  taskId: TASK_ID,
  content: null,
  taskType: 'double',
  status: 'pending',
  priority: 'medium',
  requirements: [],
  dependencies: [],
  assignedTo: null,
  createdAt: '2030-01-01T00:00:00.000Z',
  assignedAt: null,
  startedAt: null,
  completedAt: null,
  result: null,
  error: null,
  success: null,
  attempt: 0,
  maxAttempts: 3,
  retryCount: 0,
  redrivenAfter: null,
  executionDurationMs: null,
  estimatedDurationMs: null,
  runAt: null,
  startToCloseMs: null,
  excludeAgents: [],
  batchId: null,
  metadata: null,
  reason: null,
  deadLettered: false,
  progress: null,
  autoRoute: true,
  options: null,
  schedule: null,
  ...given,
});
