import { entityOf } from '@athena/projection';
import { BulkJobRow } from './bulk/bulk-job-row.js';
import { CreateBulkJobs1795219200000 } from './bulk/create-bulk-jobs.js';
import { CreateTasksV11793491200100 } from './projections/create-tasks-v1.js';
import { CreateTasksV21793577600000 } from './projections/create-tasks-v2.js';
import { tasks } from './projections/tasks.js';

export const taskQueueEntities = [entityOf(tasks), BulkJobRow];
export const taskQueueMigrations = [
  CreateTasksV11793491200100,
  CreateTasksV21793577600000,
  CreateBulkJobs1795219200000,
];
