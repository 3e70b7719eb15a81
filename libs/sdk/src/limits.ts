/**
 * Limits and defaults of the SDK itself; those of the platform are `limits` of @athena/contracts.
 * Times are milliseconds, sizes bytes.
 */

/** How long one call is repeated over refusals and outages that may pass. */
export const CALL_BUDGET_MS = 30_000;
/** One try of a call; a call that waits on the server gets its waiting time on top. */
export const ATTEMPT_MS_MAX = 20_000;
/** The first try of what may be repeated; each next one gets twice the time, up to that limit. */
export const ATTEMPT_FIRST_MS = 3_000;
export const RETRY_FIRST_MS = 50;
export const RETRY_MS_MAX = 2_000;

/** One long poll while waiting for a task; NATS lets no request live longer than 40 s. */
export const WAIT_SLICE_MS = 25_000;
/** The same for tasks with dependencies, which can become blocked without being finished. */
export const WAIT_SLICE_DEPENDENT_MS = 5_000;
/** Long polls of one client over HTTP at a time; beyond, they take turns in short slices. */
export const HTTP_WAITS_MAX = 64;
export const WAIT_SLICE_CROWDED_MS = 1_000;
/** A wait survives an outage of the platform this long. */
export const WAIT_OUTAGE_MS_MAX = 5 * 60_000;
/** Between two looks at a task if the server answers a wait at once. */
export const WAIT_PAUSE_MS = 100;

/** Calls in one NATS message. Answers to queries can be large, so fewer of those. */
export const COMMANDS_PER_MESSAGE_MAX = 250;
export const QUERIES_PER_MESSAGE_MAX = 8;

/** The first connection to NATS is tried this long; a lost one is sought forever. */
export const CONNECT_BUDGET_MS = 10_000;
export const CONNECT_ATTEMPT_MS_MAX = 5_000;
/**
 * A refusal that comes later is nobody's word: the server waited 4 s in vain for the gateway, which
 * may be restarting, and then says the same as to a wrong key.
 */
export const CONNECT_REFUSED_MS_MAX = 3_500;
export const NATS_PING_MS = 10_000;
export const NATS_PINGS_OUT_MAX = 2;
/** Pause between two tries to reconnect, soon after the loss and later; jitter comes on top. */
export const RECONNECT_SOON_MS = 100;
export const RECONNECT_SOON_FOR_MS = 5_000;
export const RECONNECT_LATER_MS = 1_000;

/**
 * One claim's long poll. Shorter than the platform allows: a claim that was open at a router that
 * died is known to be lost only when it is over.
 */
export const CLAIM_WAIT_MS = 6_000;
/** An empty answer that comes sooner than this is followed by a pause. */
export const CLAIM_EMPTY_SOON_MS = 1_000;
/** Claims of one agent that may be open at the platform at a time. */
export const CLAIMS_OPEN_MAX = 4;
/** A claim's answer may come this much later than the claim asked for. */
export const CLAIM_GRACE_MS = 2_000;
/** With `start: 'implied'`: a handler that runs longer than this is started explicitly. */
export const IMPLIED_START_AFTER_MS = 1_000;
/** A handler that ignores its abort signal keeps its slot at most this much longer. */
export const ABORTED_HANDLER_MS_MAX = 5_000;
/** `stop()` lets running handlers finish for this long. */
export const DRAIN_MS_MAX = 30_000;
/** After a drain was confirmed: time for answers of claims that were already on their way. */
export const CLAIM_SETTLE_MS = 250;
/** At most one progress report of a task in this time; the latest wins. */
export const PROGRESS_INTERVAL_MS = 250;
/** Internal errors that one report may meet before it is given up. */
export const FAULTS_MAX = 5;
/** Pause after an answer that calls for patience rather than for a quick retry. */
export const AGENT_PAUSE_MS_MAX = 5_000;
export const ERROR_TEXT_LENGTH_MAX = 2_000;
