// The kit brings the services along, so it is a package of its own for whoever tests.
export { TestAthena } from '@athena/sdk-testing';
