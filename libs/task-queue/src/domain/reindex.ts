import { findUntold } from './evolve-dependencies.js';
import { planRun } from './schedule-state.js';
import { addTo, agentKey, earliestFirst, type TaskState } from './state.js';
import { replan } from './timers.js';

/** Recomputes everything that derives from the tables. */
export function reindex(state: TaskState): void {
  state.justLoaded = true;
  state.dependents = new Map();
  state.held = new Map();
  for (const task of state.tasks.values()) {
    for (const dependency of [...task.waitsFor, ...Object.keys(task.failedDependencies)]) {
      addTo(state.dependents, dependency, task.id);
    }
    if (task.holder) addTo(state.held, agentKey(task.project, task.holder.agentId), task.id);
  }
  replan(state);
  state.untold = new Map();
  for (const [id, outcome] of state.cascades.entries()) findUntold(state, id, outcome);
  state.plannedRuns = earliestFirst();
  state.schedulesOf = new Map();
  for (const schedule of state.schedules.values()) {
    addTo(state.schedulesOf, schedule.project, schedule.id);
    planRun(state, schedule);
  }
  state.keyOrder = [...state.keys.entries()]
    .sort(([, left], [, right]) => left.order - right.order)
    .map(([key]) => key);
  state.keysHead = 0;
}
