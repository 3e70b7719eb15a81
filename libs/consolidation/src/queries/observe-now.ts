import { limits } from '@athena/contracts';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import { IDLE_MS, type KindActivity, type SkillDemand, type TypeQueue } from '../domain/rules.js';

export interface Present {
  readonly skills: readonly SkillDemand[];
  readonly queues: readonly TypeQueue[];
  readonly kinds: readonly KindActivity[];
}

/* Of all three at most $3 lines, the largest. Ready: open and its time has come. */
const SKILLS = `
  select skill, waiting, (
      select count(*) from fleet_activity f
      where f.project = $1 and f.online and not f.draining and skill = any (f.capabilities)
    ) as agents
  from (
    select skill, count(*) as waiting
    from attempt_outcomes, unnest(requirements) as skill
    where project = $1 and state = 'open' and ready_at <= to_timestamp($2::float8 / 1000)
    group by skill order by waiting desc, skill limit $3
  ) as asked`;
const QUEUES = `
  select task_type as "taskType", count(*) as waiting,
    ($2::float8 - extract(epoch from min(ready_at)) * 1000)::float8 as "oldestMs"
  from attempt_outcomes
  where project = $1 and state = 'open' and ready_at <= to_timestamp($2::float8 / 1000)
  group by task_type order by min(ready_at), task_type limit $3`;
const KINDS = `
  select kind, count(*) as online,
    count(*) filter (
      where active_tasks = 0 and active_at <= to_timestamp(($2::float8 - ${IDLE_MS}) / 1000)
    ) as idle
  from fleet_activity where project = $1 and online and not draining
  group by kind order by online desc, kind limit $3`;

/**
 * The project's queue and fleet as of `now` (milliseconds).
 * @throws Refused UNAVAILABLE
 */
export async function observeNow(
  pool: Pick<Pool, 'query'>,
  project: string,
  now: number,
): Promise<Present> {
  const values = [project, now, limits.INSIGHTS_GROUPS_MAX];
  const ask = async <T extends object>(text: string): Promise<T[]> =>
    (await orUnavailable(pool.query<T>({ text, values, types: ROW_TYPES }))).rows;
  const [skills, queues, kinds] = await Promise.all([
    ask<SkillDemand>(SKILLS),
    ask<TypeQueue>(QUEUES),
    ask<KindActivity>(KINDS),
  ]);
  return { skills, queues, kinds };
}
