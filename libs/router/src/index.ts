export { RouterModule } from './router.module.js';
export { RouterService } from './router-service.js';
export type { RouterServiceOptions } from './router-service.js';
