export { Gateway } from './gateway.js';
export type { GatewayConfig, GatewayObservers, GatewayOptions } from './gateway.js';
export { GatewayModule } from './gateway.module.js';
export { asyncApiDocument } from './http/asyncapi.js';
export { errorCatalogue } from './http/error-catalogue.js';
export { openApiDocument } from './http/openapi.js';
