export { check } from './checks/check.js';
export type { Recorded, Violation } from './checks/recorded.js';
export { simulate } from './simulation.js';
