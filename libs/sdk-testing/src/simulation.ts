export { check } from './simulation/checks/check.js';
export type { Recorded, Violation } from './simulation/checks/recorded.js';
export { simulate } from './simulation/simulation.js';
