import { z } from 'zod';
import { count, instant, uuid } from '../schemas.js';
import { attemptFigures } from './figures.js';

/** One kept run: what it covered, and the figures over all of it. */
export const consolidationRecord = z.object({
  consolidationId: uuid,
  at: instant,
  covered: z.object({
    /** Of the first and the last outcome. */
    from: instant,
    to: instant,
    tasks: count,
    /** Outcomes in the log, one for each finished attempt. */
    events: count,
  }),
  total: attemptFigures,
});
