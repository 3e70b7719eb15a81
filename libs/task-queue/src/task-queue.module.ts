import { hosted, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { TaskQueue } from './task-queue.js';

function makeTaskQueue(platform: Platform): TaskQueue {
  const { telemetry, metrics } = platform;
  const queue = new TaskQueue({
    ...platform,
    lease: (partition) => platform.lease(partition),
    partitions: platform.config.taskPartitions,
    map: platform.partitions,
    observer: {
      host: (partition) => telemetry.partition(partition),
      projection: telemetry.projection('tasks'),
      edge: telemetry.edge,
      tasks: {
        entered: (status) => metrics.taskEntered(status),
        ran: (ms) => metrics.taskRan(ms),
      },
      failed: (error, where) => telemetry.failed(error, where),
    },
  });
  metrics.watchTasks(() => queue.counts);
  return queue;
}

/** Hosts the task queue in a Nest application that has the PlatformModule. */
@Module({ providers: hosted(TaskQueue, makeTaskQueue) })
export class TaskQueueModule {}
