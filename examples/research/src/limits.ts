/** Every limit of the example. Sizes are bytes of UTF-8, times milliseconds. */
export const FILE_BYTES_MAX = 1024 * 1024;
export const DOCUMENTS_MAX = 400;
export const FILES_SEEN_MAX = 20_000;
/** Skipped files that the report names; the others are counted. */
export const SKIPPED_NAMED_MAX = 30;
export const SKIPPED_PATH_LENGTH_MAX = 120;

/** Sentences of one extract task. With quotes escaped it still fits a result (32 KiB). */
export const PART_BYTES_MAX = 12 * 1024;
/** Longer sentences are cut at a space. */
export const SENTENCE_LENGTH_MAX = 600;
export const TERM_BYTES_MAX = 40;
/** Terms that an analysis keeps, the most frequent ones. */
export const TERMS_PER_DOCUMENT_MAX = 200;
export const SUMMARY_SENTENCES = 3;
/** Shorter sentences are no candidates for a summary. */
export const SUMMARY_TERMS_MIN = 5;

/** Results that one merge task reads, and documents that one rank task places. */
export const MERGE_FAN_IN = 40;
export const RANK_DOCUMENTS = 20;
/** A merged table may hold this many bytes as JSON. */
export const TABLE_BYTES_MAX = 28 * 1024;
export const KEY_TERMS = 8;
export const LINKS_PER_DOCUMENT = 4;
/** Weaker similarities are not called links. */
export const LINK_COSINE_MIN = 0.05;
export const LINK_TERMS = 4;

export const AGENT_READY_MS_MAX = 60_000;
export const AGENT_STOP_MS_MAX = 5_000;
export const AGENT_RESTARTS_MAX = 3;
export const RUN_MS_MAX = 14 * 60_000;
/** Calling off the tasks of a run that was given up may take this long. */
export const CALL_OFF_MS_MAX = 4_000;
