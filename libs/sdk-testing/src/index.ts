export type { RecordedEvent } from './platform/history.js';
export { TestAthena } from './test-athena.js';
export type { TestAgentOptions, TestAthenaOptions } from './test-athena.js';
export type { Duration } from './time/duration.js';
