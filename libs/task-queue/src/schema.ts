import { entityOf } from '@athena/projection';
import { CreateTasksV11793491200100 } from './projections/create-tasks-v1.js';
import { CreateTasksV21793577600000 } from './projections/create-tasks-v2.js';
import { tasks } from './projections/tasks.js';

export const taskQueueEntities = [entityOf(tasks)];
export const taskQueueMigrations = [CreateTasksV11793491200100, CreateTasksV21793577600000];
