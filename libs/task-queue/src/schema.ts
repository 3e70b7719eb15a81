import { entityOf } from '@athena/projection';
import { CreateTasksV11793491200100 } from './projections/create-tasks-v1.js';
import { tasks } from './projections/tasks.js';

export const taskQueueEntities = [entityOf(tasks)];
export const taskQueueMigrations = [CreateTasksV11793491200100];
