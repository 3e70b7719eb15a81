export { TaskQueueModule } from './task-queue.module.js';
export { TaskQueue } from './task-queue.js';
export type { TaskQueueObserver, TaskQueueOptions } from './task-queue.js';
export { taskQueueEntities, taskQueueMigrations } from './schema.js';
