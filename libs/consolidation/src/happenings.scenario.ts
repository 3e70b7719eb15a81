import type { LoggedEvent } from '@athena/event-log';

/** Events as the owners of partitions log them, with what does not matter left to defaults. */
export const PROJECT = 'default';

const event = (type: string, id: string, data: object): LoggedEvent => ({
  type,
  v: 1,
  project: PROJECT,
  id,
  data,
});

export const created = (id: string, more: object = {}): LoggedEvent =>
  event('TaskCreated', id, {
    content: 'work',
    taskType: 'parse',
    priority: 'medium',
    requirements: [],
    dependencies: [],
    waitsFor: [],
    maxAttempts: 3,
    autoRoute: true,
    ...more,
  });

const holder = (kind: string, attempt: number): object => ({ agentId: `${kind}-1`, kind, attempt });

export const assigned = (id: string, kind = 'reader', attempt = 1): LoggedEvent =>
  event('TaskAssigned', id, { ...holder(kind, attempt), session: 1 });

export const completed = (
  id: string,
  durationMs: number,
  kind = 'reader',
  attempt = 1,
): LoggedEvent =>
  event('TaskCompleted', id, { ...holder(kind, attempt), durationMs, result: null });

export const attemptFailed = (
  id: string,
  durationMs: number,
  retryAt: number,
  kind = 'reader',
): LoggedEvent =>
  event('AttemptFailed', id, {
    ...holder(kind, 1),
    durationMs,
    error: { message: 'no' },
    retryAt: new Date(retryAt).toISOString(),
  });

export const taskFailed = (id: string, durationMs: number, more: object = {}): LoggedEvent =>
  event('TaskFailed', id, {
    ...holder('reader', 1),
    durationMs,
    error: { message: 'no' },
    deadLettered: true,
    ...more,
  });

export const released = (id: string, reason: string): LoggedEvent =>
  event('TaskReleased', id, { agentId: 'reader-1', attempt: 1, reason, exclude: false });

export const redriven = (id: string, attempt: number): LoggedEvent => {
  const { data } = created(id) as { data: object };
  return event('TaskRedriven', id, { ...data, createdAt: '2026-01-01T00:00:00Z', attempt });
};

export const cancelled = (id: string): LoggedEvent => event('TaskCancelled', id, {});

export const expired = (id: string): LoggedEvent =>
  event('TaskExpired', id, { reason: 'deadline', error: { message: 'late' }, deadLettered: false });

export const dependencyCompleted = (id: string, dependency: string): LoggedEvent =>
  event('DependencyCompleted', id, { dependency });

export const blocked = (id: string, dependency: string): LoggedEvent =>
  event('TaskBlocked', id, { dependency, cause: dependency });

export const registered = (
  id: string,
  kind: string,
  capabilities: readonly string[] = [],
): LoggedEvent =>
  event('AgentRegistered', id, {
    session: 1,
    kind,
    capabilities,
    maxConcurrentTasks: 1,
    mode: 'claim',
  });

export const sessionEnded = (id: string): LoggedEvent =>
  event('AgentSessionEnded', id, { session: 1, reason: 'silent' });
