/* The door for whoever only declares projections or folds them in memory: no Postgres. */
export { defineProjection } from './projection.js';
export type { Placed, Projection } from './projection.js';
