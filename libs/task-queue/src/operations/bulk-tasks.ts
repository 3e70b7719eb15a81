import { BULK_NOT_FOUND, TOO_MANY_BULKS, bulkStatus, bulkTasks, limits } from '@athena/contracts';
import type { EventLog } from '@athena/event-log';
import { Refused } from '@athena/operation';
import { orUnavailable, type ProjectionRunner } from '@athena/projection';
import type { ServiceHandler } from '@athena/service-kit';
import type { BulkJobs } from '../bulk/bulk-jobs.js';

export interface BulkPorts {
  readonly jobs: BulkJobs;
  readonly log: Pick<EventLog, 'endSeq'>;
  /** The read model in which the tasks are found. */
  readonly tasks: Pick<ProjectionRunner, 'waitFor'>;
  /** A job was begun. */
  readonly onStarted: () => void;
}

/** task.bulk: finds the tasks as the log has them now; all else is done in the background. */
export const bulkTasksHandler = ({
  jobs,
  log,
  tasks,
  onStarted,
}: BulkPorts): ServiceHandler<typeof bulkTasks> => ({
  operation: bulkTasks,
  async handle(input, caller) {
    const seq = await orUnavailable(log.endSeq());
    await tasks.waitFor(seq, limits.MIN_SEQ_WAIT_MS_MAX);
    if (input.dryRun) {
      return { output: { bulkId: null, ...(await jobs.match(caller.project, input)) }, seq };
    }
    const output = await jobs.start(caller, input);
    if (!output) {
      const detail = `${limits.BULKS_MAX} bulk operations are under way`;
      throw Refused.because(TOO_MANY_BULKS, detail);
    }
    onStarted();
    return { output, seq };
  },
});

/** task.bulkStatus */
export const bulkStatusHandler = ({
  jobs,
  log,
}: Pick<BulkPorts, 'jobs' | 'log'>): ServiceHandler<typeof bulkStatus> => ({
  operation: bulkStatus,
  async handle({ bulkId }, { project }) {
    const output = await jobs.find(project, bulkId);
    if (!output) {
      const detail = `no bulk operation ${bulkId} in project ${project}`;
      throw Refused.because(BULK_NOT_FOUND, detail, 'bulkId');
    }
    return { output, seq: await orUnavailable(log.endSeq()) };
  },
});
