import { runService } from '@athena/service-kit';
import { TaskQueueModule, taskQueueEntities, taskQueueMigrations } from '@athena/task-queue';

await runService('task-queue', [
  { module: TaskQueueModule, entities: taskQueueEntities, migrations: taskQueueMigrations },
]);
