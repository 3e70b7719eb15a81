/* The door for whoever hosts a router without Nest. */
export { RouterService } from './router-service.js';
