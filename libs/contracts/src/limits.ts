/**
 * Every default and limit that a user can meet, in one place. Times are milliseconds, sizes bytes.
 */
export const CONTENT_BYTES_MAX = 32 * 1024;
export const RESULT_BYTES_MAX = 32 * 1024;
export const METADATA_BYTES_MAX = 8 * 1024;
export const ERROR_BYTES_MAX = 8 * 1024;
/** One progress report: its partial output, its lines of log, and the characters of each. */
export const PROGRESS_OUTPUT_BYTES_MAX = 8 * 1024;
export const PROGRESS_LOG_LINES_MAX = 100;
export const PROGRESS_LOG_LINE_LENGTH_MAX = 1_000;
/** Progress reports of a task that are recorded within a second. */
export const PROGRESS_PER_SECOND_MAX = 10;
/** Partial outputs and lines of log that are recorded of one attempt. */
export const PROGRESS_BYTES_MAX = 1024 * 1024;
/** One HTTP body or NATS request. */
export const REQUEST_BYTES_MAX = 1024 * 1024;
/** The HTTP body of a batch create; over NATS it is one request like any other. */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024;
export const JSON_DEPTH_MAX = 32;

export const CLIENT_ID_LENGTH_MAX = 128;
export const NAME_LENGTH_MAX = 128;
export const TEXT_LENGTH_MAX = 1_000;

export const REQUIREMENTS_MAX = 32;
export const DEPENDENCIES_MAX = 1_000;
export const EXCLUDED_AGENTS_MAX = 100;
export const CAPABILITIES_MAX = 256;
/** Tasks in one request of a batch create; a chunk of it that is atomic. */
export const BATCH_TASKS_MAX = 10_000;
export const BATCH_CHUNK_TASKS = 250;
/** Task types of one project that are paused at the same time. */
export const PAUSED_TYPES_MAX = 100;
/** Of one bulk operation; more are done by another one. */
export const BULK_TASKS_MAX = 100_000;
/** Bulk operations of one project that are under way. */
export const BULKS_MAX = 10;
/** Tasks that bulk operations change in a second, all together. */
export const BULK_TASKS_PER_SECOND = 500;
/** How long a bulk operation that has ended is remembered. */
export const BULK_KEPT_MS = 7 * 24 * 3_600_000;
export const BULK_SAMPLE = 20;
/** Items in one start/complete/… of an agent. */
export const ITEMS_MAX = 500;

export const MAX_ATTEMPTS_DEFAULT = 3;
export const MAX_ATTEMPTS_MAX = 100;
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_FACTOR = 2;
export const BACKOFF_FACTOR_MAX = 10;
export const BACKOFF_MS_MAX = 5 * 60_000;
/** The longest pause that a task may ask for. */
export const BACKOFF_MS_LIMIT = 7 * 24 * 3_600_000;
export const SCHEDULE_TO_START_MS_MAX = 366 * 24 * 3_600_000;
/**
 * Ready for so long, a task counts as of the next higher priority (low → medium → high): after
 * twice this, no task that comes later goes before one that was low.
 */
export const AGEING_MS = 5 * 60_000;
/** Of a project's turns, ATHENA_PROJECT_WEIGHTS; the default is 1. */
export const PROJECT_WEIGHT_MIN = 0.01;
export const PROJECT_WEIGHT_MAX = 100;
/** What a concurrency key and a rate limit may allow. */
export const CONCURRENCY_MAX = 100_000;
export const RATE_LIMIT_MAX = 1_000_000;
export const RATE_PERIOD_MS_MAX = 24 * 3_600_000;
export const DELAY_MS_MAX = 366 * 24 * 3_600_000;
export const START_TO_CLOSE_MS_MAX = 7 * 24 * 3_600_000;
/** Assigned, but not started within this: the work goes back. */
export const ASSIGNED_NOT_STARTED_MS = 30_000;

/** Schedules of one project. */
export const SCHEDULES_PER_PROJECT_MAX = 1_000;
export const SCHEDULE_EVERY_MS_MIN = 1_000;
export const SCHEDULE_EVERY_MS_MAX = 366 * 24 * 3_600_000;
/** A run this much late is on time; beyond, it was missed: see `missedRuns`. */
export const SCHEDULE_GRACE_MS = 2_000;
/** Missed runs that `missedRuns: all` makes up for: the last ones. */
export const SCHEDULE_MISSED_RUNS_MAX = 100;
/** Coming runs that `schedule.get` tells, and that a preview may ask for. */
export const SCHEDULE_NEXT_RUNS = 5;
export const SCHEDULE_PREVIEW_MAX = 100;
/** Schedules of a page of the list, as text; the last one may go beyond. */
export const SCHEDULE_PAGE_BYTES = 512 * 1024;

/** Partitions of tasks: each has one writer, and all together one router. */
export const TASK_PARTITIONS_MAX = 64;

/** How often an agent should show itself, and after how long without contact it is away. */
export const AGENT_HEARTBEAT_MS = 5_000;
export const AGENT_DEGRADED_MS = 15_000;
export const AGENT_PRESENCE_MS = 60_000;
/** After an agent's connection has closed: time to come back before its session ends. */
export const AGENT_RECONNECT_MS = 3_000;
export const MAX_CONCURRENT_TASKS_DEFAULT = 5;
export const MAX_CONCURRENT_TASKS_MAX = 1_000;

/**
 * How long answers name a cancelled task to the agent that had it: an agent that is quiet for
 * longer loses its session, and with it all that it holds. And how many they name.
 */
export const CANCELLED_TOLD_MS = AGENT_PRESENCE_MS;
export const CANCELLED_KEPT_MAX = 1_000;

/** Agents of one project that are in the fleet: registered and not deregistered. */
export const AGENTS_PER_PROJECT_MAX = 10_000;

/** Agent ids of one project that are taken for good: in the fleet, left, or only connected. */
export const AGENT_IDS_PER_PROJECT_MAX = 100_000;

/**
 * When the fleet is full, a new agent takes the place of the one that has been away longest, if
 * it has been away at least this long. (Pods whose names change never deregister when killed.)
 */
export const AWAY_REPLACEABLE_MS = 3_600_000;

export const CLAIM_WAIT_MS_MAX = 25_000;
/** Below the 40 s after which the broker forgets a request that came through the import. */
export const GET_WAIT_MS_MAX = 30_000;
export const POLL_LIMIT_DEFAULT = 10;

export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 1_000;
/** Of searches: the text's length, how many `key=value` of metadata and how long each. */
export const SEARCH_TEXT_LENGTH_MAX = 200;
export const METADATA_FILTERS_MAX = 8;
export const METADATA_FILTER_LENGTH_MAX = 400;
/** Characters of a task's content, as JSON, whose words are found; what follows them is not. */
export const SEARCHED_CONTENT_LENGTH = 4_096;
/** So far tasks are counted one by one; who counts by status, type and priority needs no limit. */
export const COUNTED_TASKS_MAX = 10_000;
export const MIN_SEQ_WAIT_MS_MAX = 2_000;
/** Events of a page of the timeline, as text; the last one may go beyond. */
export const TIMELINE_PAGE_BYTES = 512 * 1024;

/** What one call of the log's check looks at, and how many findings it names. */
export const LOG_VERIFY_COMMITS_MAX = 10_000;
export const LOG_VERIFY_MS_MAX = 3_000;
export const LOG_FINDINGS_MAX = 20;

/** Repeats by idempotency key are recognised this long, up to this many keys a partition. */
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
export const IDEMPOTENCY_KEYS_MAX = 100_000;
/** How long a caller inside the system repeats a command until an owner answers. */
export const COMMAND_BUDGET_MS = 15_000;

/** Candidates that a stored routing decision names, best first. */
export const DECISION_CANDIDATES_MAX = 5;

/** How far back insights look: unless told, and at most. */
export const INSIGHTS_WINDOW_MS_DEFAULT = 24 * 3_600_000;
export const INSIGHTS_WINDOW_MS_MAX = 30 * 24 * 3_600_000;
/** Finished attempts that one set of figures is made of: the last ones of the window. */
export const INSIGHTS_ATTEMPTS_MAX = 10_000;
/** Types, kinds and pairs that insights list, those with most attempts first. */
export const INSIGHTS_GROUPS_MAX = 200;
/** Equal parts that insights divide their time into. */
export const INSIGHTS_BUCKETS = 24;
/** Finished attempts that a consolidation covers: unless told, and at most. */
export const CONSOLIDATION_BATCH_DEFAULT = 1_000;
export const CONSOLIDATION_BATCH_MAX = INSIGHTS_ATTEMPTS_MAX;
