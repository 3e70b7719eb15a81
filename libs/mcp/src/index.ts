export type { ToolCaller } from './calling.js';
export { mcpEndpoint } from './http.js';
export type { McpEndpoint, McpRequest } from './http.js';
export { mcpStdio } from './stdio.js';
export type { McpStdio } from './stdio.js';
export type { ToolDefinition } from './tool.js';
export { tools } from './tools.js';
