export { Gateway } from './gateway.js';
export type { GatewayConfig, GatewayObservers, GatewayOptions } from './gateway.js';
export { GatewayModule } from './gateway.module.js';
export { openApiDocument } from './http/openapi.js';
