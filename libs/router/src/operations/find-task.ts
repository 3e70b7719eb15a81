import type { Caller } from '@athena/service-kit';
import type { Task } from '../domain/task.js';
import type { Routing } from '../routing.js';

/** The unfinished task of this project, in a fold that reflects every earlier write. */
export async function findTask(
  { fold, state }: Routing,
  taskId: string,
  { project }: Caller,
): Promise<Task | undefined> {
  await fold.caughtUp();
  const task = state.tasks.get(taskId);
  return task?.project === project ? task : undefined;
}

/** The caller without the id of its command: what is asked on its behalf is another one. */
export const onBehalfOf = ({ project, actor, correlation }: Caller): Caller =>
  correlation === undefined ? { project, actor } : { project, actor, correlation };
