import type { Life } from './life.scenario.js';
import type { Outcome } from './surface.scenario.js';

/*
 * The one place that says what may differ between two surfaces, and why:
 *
 * - the project's name, ids that are made anew, and leases: every surface has a project of its own;
 * - instants, waiting times, and what is reckoned from them: the surfaces are asked one by one;
 * - places in the log: it is one log for all;
 * - the actor: it tells the surface; and the correlation: only requests over HTTP have an id.
 */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const ACTOR = /\b(?:key|agent-key|app):[\w<>-]+/g;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const DIFFERS: ReadonlySet<string> = new Set([
  ...['keyId', 'apiKey', 'lease'],
  ...['oldestPendingMs', 'oldestMs', 'waitMs', 'runMs', 'timeToAssignMs', 'completedPerMinute'],
  ...['seq', 'registrySeq', 'session', 'position', 'lag', 'nextAfter', 'nextCursor'],
  ...['actor', 'correlation'],
]);

/** An outcome in which everything that may differ is replaced by its kind. */
export const normal = (outcome: Outcome, life: Life): unknown => replaced(outcome, life, '');

function replaced(value: unknown, life: Life, key: string): unknown {
  if (DIFFERS.has(key) && (value !== null || key === 'correlation')) return `<${key}>`;
  if (typeof value === 'string') return text(value, life);
  if (Array.isArray(value)) return value.map((one) => replaced(one, life, ''));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, replaced(one, life, name)]);
  return Object.fromEntries(entries);
}

function text(value: string, { project, known, keyId }: Life): string {
  if (INSTANT.test(value)) return '<instant>';
  const named = [...known].reduce((told, [id, name]) => told.replaceAll(id, name), value);
  return named
    .replaceAll(project, '<project>')
    .replaceAll(keyId, '<key>')
    .replaceAll(ACTOR, '<actor>')
    .replaceAll(UUID, '<uuid>');
}
