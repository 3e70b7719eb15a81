export type {
  Duration,
  RecordedEvent,
  TestAgentOptions,
  TestAthenaOptions,
} from '@athena/sdk-testing';
export { TestAthena } from '@athena/sdk-testing';
