/* Limits of the registry itself. Times are milliseconds. */

/** How often silence is looked for, and how many sessions one look may end. */
export const PRESENCE_SWEEP_MS = 1_000;
export const SESSION_ENDS_PER_SWEEP_MAX = 1_000;

/** Contacts are gathered by those who hear them; one may arrive this much later than it was. */
export const CONTACT_DELAY_MS_MAX = 1_500;

/**
 * Agents whose connections are looked up at the broker at the same time. When more die at once
 * the rest are found by their silence.
 */
export const DISCONNECT_CHECKS_MAX = 1_000;
