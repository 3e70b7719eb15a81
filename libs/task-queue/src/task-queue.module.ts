import { hosted, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { PARTITION_NAME, TaskQueue } from './task-queue.js';

function makeTaskQueue(platform: Platform): TaskQueue {
  const { telemetry, metrics } = platform;
  const queue = new TaskQueue({
    ...platform,
    lease: platform.lease(PARTITION_NAME),
    observer: {
      host: telemetry.partition(PARTITION_NAME),
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
