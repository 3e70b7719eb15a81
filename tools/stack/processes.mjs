/** @typedef {'system' | 'callout' | 'public'} Need See app.mjs for what each gives. */
/**
 * @typedef {object} AppProcess One app process of the stack.
 * @property {string} name Its name in messages, `logs/` and `run/`.
 * @property {string} app The folder in `apps/`.
 * @property {string} portName Its management port's name in `ports.json`.
 * @property {readonly string[]} services Its names in connection.json.
 * @property {readonly Need[]} needs
 */

/**
 * Every service: one row adds one, in both forms. Apart, the rows are stopped from the last to the
 * first; they are started all at once, because services wait for each other by themselves.
 * @type {readonly { name: string, replicas: number, needs: readonly Need[] }[]}
 */
const SERVICES = [
  { name: 'task-queue', replicas: 2, needs: [] },
  { name: 'agent-registry', replicas: 2, needs: ['system'] },
  { name: 'router', replicas: 2, needs: [] },
  { name: 'episodic-memory', replicas: 1, needs: [] },
  { name: 'consolidation', replicas: 1, needs: [] },
  { name: 'gateway', replicas: 1, needs: ['callout', 'public'] },
];

/** @type {readonly AppProcess[]} */
const STANDALONE = [
  {
    name: 'standalone',
    app: 'standalone',
    portName: 'management',
    services: SERVICES.map(({ name }) => name),
    needs: SERVICES.flatMap(({ needs }) => needs),
  },
];

/** @type {readonly AppProcess[]} */
const SEPARATE = SERVICES.flatMap(({ name: app, replicas, needs }) =>
  Array.from({ length: replicas }, (_, index) => {
    const name = index === 0 ? app : `${app}-${index + 1}`;
    return { name, app, portName: name, services: [name], needs };
  }),
);

/** @param {boolean} separate @returns {readonly AppProcess[]} What has to run. */
export function appProcesses(separate) {
  return separate ? SEPARATE : STANDALONE;
}
