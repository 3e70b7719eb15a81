// Who may import whom. The table is the architecture; ARCHITECTURE.md draws it.
const services = [
  'task-queue',
  'agent-registry',
  'router',
  'episodic-memory',
  'consolidation',
  'gateway',
];
const service = ['operation', 'contracts', 'event-log', 'projection', 'service-kit'];

/** Library → workspace libraries that its production code may import. */
export const allowed = {
  operation: [],
  contracts: ['operation'],
  'event-log': ['operation'],
  'event-log-jetstream': ['operation', 'event-log'],
  projection: ['operation', 'event-log'],
  'service-kit': ['operation', 'contracts', 'event-log', 'event-log-jetstream', 'projection'],
  ...Object.fromEntries(services.map((name) => [name, service])),
  gateway: [...service, 'mcp'],
  mcp: ['operation', 'contracts'],
  sdk: ['operation', 'contracts'],
  // The platform in memory is the services' own parts, hosted without Nest, NATS and Postgres.
  'sdk-testing': [
    'operation',
    'contracts',
    'event-log',
    'projection',
    'service-kit',
    'task-queue',
    'agent-registry',
    'router',
    'sdk',
  ],
  testing: ['operation', 'contracts', 'event-log'],
};

/** Packages that only these libraries may import: the edges stay at the edges. */
const onlyIn = {
  typeorm: ['projection', 'task-queue', 'agent-registry', 'episodic-memory', 'consolidation'],
  '@nestjs/': ['service-kit', ...services],
  '@nats-io/': [
    'event-log-jetstream',
    'service-kit',
    'sdk',
    'sdk-testing',
    'gateway',
    'router',
    'agent-registry',
  ],
  pg: [
    'projection',
    'service-kit',
    'task-queue',
    'agent-registry',
    'episodic-memory',
    'consolidation',
  ],
  'prom-client': ['service-kit'],
  '@modelcontextprotocol/': ['mcp'],
};

// Types are erased: what is imported for its types alone is no dependency of the running code.
const typeImports = /import type [^;]*;/g;
const imports = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** What the file `libs/<lib>/src/…` may not import: one sentence each. */
export function boundaryBreaks(path, text) {
  const [, lib] = /^libs\/([^/]+)\/src\//.exec(path) ?? [];
  if (!lib || /\.(spec|scenario)\.ts$/.test(path) || lib === 'testing') return [];
  const specifiers = [...text.replace(typeImports, '').matchAll(imports)].map((match) => match[1]);
  return specifiers.flatMap((specifier) => breaksOf(lib, path, specifier));
}

function breaksOf(lib, path, specifier) {
  const [, other] = /^@athena\/([^/]+)/.exec(specifier) ?? [];
  if (other && !allowed[lib]?.includes(other)) return [`${path}: ${lib} may not import ${other}`];
  const impure = /\/domain\//.test(path) && /^(@nestjs|@nats-io|typeorm|pg|node:(?!crypto))/;
  if (impure && impure.test(specifier)) return [`${path}: a domain may not import ${specifier}`];
  const [, owners] =
    Object.entries(onlyIn).find(([name]) =>
      name.endsWith('/') ? specifier.startsWith(name) : specifier === name,
    ) ?? [];
  if (owners && !owners.includes(lib)) return [`${path}: ${lib} may not import ${specifier}`];
  return [];
}
