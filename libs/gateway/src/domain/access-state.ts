import type { AccessEvent, KeyRecord } from '@athena/contracts';
import { Table, type EventContext, type LoggedEvent } from '@athena/event-log';

/** Projects and their keys; a key's secret only as its hash. Instants are ISO 8601. */
export interface KeyRow extends KeyRecord {
  readonly secretHash: string;
}

export interface ProjectRow {
  readonly project: string;
  readonly createdAt: string;
  /** The command that made it: its repeat is answered as the first time. */
  readonly command: string;
}

export interface AccessState {
  readonly projects: Table<ProjectRow>;
  readonly keys: Table<KeyRow>;
  /** Derived: the ids of a project's keys, oldest first. */
  readonly keysOf: Map<string, string[]>;
}

export const initialAccess = (): AccessState => ({
  projects: new Table('projects'),
  keys: new Table('keys'),
  keysOf: new Map(),
});

/** Folds one event; those that the partition itself writes change nothing here. */
export function evolveAccess(state: AccessState, event: LoggedEvent, { at }: EventContext): void {
  const known = event as LoggedEvent & AccessEvent;
  const instant = new Date(at).toISOString();
  switch (known.type) {
    case 'ProjectCreated': {
      const { project } = known.data;
      const command = known.command ?? '';
      state.projects.set(project, { project, createdAt: instant, command });
      return;
    }
    case 'KeyIssued': {
      const { keyId, expiresAt = null } = known.data;
      state.keys.set(keyId, { ...known.data, createdAt: instant, expiresAt, revokedAt: null });
      addToProject(state, known.data.project, keyId);
      return;
    }
    case 'KeyRevoked': {
      const key = state.keys.get(known.data.keyId);
      if (key) state.keys.set(key.keyId, { ...key, revokedAt: instant });
      return;
    }
    default:
      known satisfies never;
  }
}

/** Recomputes what derives from the tables. */
export function reindexAccess(state: AccessState): void {
  state.keysOf.clear();
  const oldestFirst = [...state.keys.values()].sort((a, b) => compare(a.createdAt, b.createdAt));
  for (const { project, keyId } of oldestFirst) addToProject(state, project, keyId);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function addToProject({ keysOf }: AccessState, project: string, keyId: string): void {
  const ids = keysOf.get(project);
  if (ids) ids.push(keyId);
  else keysOf.set(project, [keyId]);
}

export const isActive = (key: KeyRecord, now: number): boolean =>
  key.revokedAt === null && (key.expiresAt === null || now < Date.parse(key.expiresAt));

/** The key as it may be shown: without its hash. */
export function keyRecordOf({ secretHash: _, ...record }: KeyRow): KeyRecord {
  return record;
}
