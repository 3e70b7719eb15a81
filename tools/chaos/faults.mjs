import { setTimeout as sleep } from 'node:timers/promises';

/** Services whose work another process takes over. */
export const LED = ['task-queue', 'agent-registry', 'router'];
/** Of one process each: they come back by being restarted. */
const ALONE = ['episodic-memory', 'consolidation', 'gateway'];
const SERVICES = [...LED, ...ALONE];
const SERVERS = ['nats-server', 'postgres'];
const PAIRS = LED.flatMap((one, index) => LED.slice(index + 1).map((other) => [one, other]));
/** Longer than a lease is kept for whoever stands still. */
const STAND_STILL_MS = 3_000;
const TOGETHER_MS = 200;

/**
 * A fault: `strike` does it and resolves with what was struck and when; `calm` undoes what does
 * not pass by itself. `ledBy`: the services whose take-over is measured, where a standby was there.
 * @typedef {{ name: string, ledBy: readonly string[], strike: (stack) => Promise<number>,
 *   calm?: (stack) => Promise<void> }} Fault
 */

const kill = async (stack, service) => {
  const { pid } = await stack.leaderOf(service);
  process.kill(pid, 'SIGKILL');
};

const once = (service) => ({
  name: `kill ${service}`,
  ledBy: LED.filter((led) => led === service),
  async strike(stack) {
    await kill(stack, service);
    return Date.now();
  },
});

/** The one that has taken over dies as soon as the first one stands by again. */
const again = (service) => ({
  name: `kill ${service} twice in a row`,
  ledBy: LED.filter((led) => led === service),
  async strike(stack) {
    const { pid } = await stack.leaderOf(service);
    process.kill(pid, 'SIGKILL');
    await stack.untilAnother(service, pid);
    await kill(stack, service);
    return Date.now();
  },
});

const together = (services) => ({
  name: `kill ${services.join(' and ')}`,
  ledBy: services,
  async strike(stack) {
    const leaders = await Promise.all(services.map((service) => stack.leaderOf(service)));
    for (const { pid } of leaders) process.kill(pid, 'SIGKILL');
    return Date.now();
  },
});

/** Nobody stands by: as long as a start takes. */
const both = (service) => ({
  name: `kill both processes of ${service}`,
  ledBy: [],
  async strike(stack) {
    await stack.leaderOf(service);
    for (const { pid } of await stack.roles(service)) process.kill(pid, 'SIGKILL');
    return Date.now();
  },
});

const restart = (servers) => ({
  name: `restart ${servers.join(' and ')}`,
  ledBy: [],
  async strike(stack) {
    for (const server of servers) process.kill(await stack.pidOf(server), 'SIGKILL');
    return Date.now();
  },
});

const standStill = (service) => {
  let stopped;
  return {
    name: `stop ${service} for ${STAND_STILL_MS / 1_000} s`,
    ledBy: LED.filter((led) => led === service),
    async strike(stack) {
      stopped = (await stack.leaderOf(service)).pid;
      process.kill(stopped, 'SIGSTOP');
      return Date.now();
    },
    async calm() {
      await sleep(STAND_STILL_MS);
      process.kill(stopped, 'SIGCONT');
      await sleep(TOGETHER_MS);
    },
  };
};

/** @type {readonly Fault[]} */
export const MATRIX = [
  ...SERVICES.map(once),
  ...SERVICES.map(again),
  ...PAIRS.map(together),
  ...LED.map(both),
  ...SERVERS.map((server) => restart([server])),
  restart(SERVERS),
  ...LED.map(standStill),
];

/** Those after which everybody is back within seconds. */
export const QUICK = [...LED.map(once), restart(['nats-server']), ...LED.map(standStill)];

/** `count` faults: all of the matrix in a seeded order, again and again. */
export function choose(count, seed, matrix = MATRIX) {
  const random = generator(seed);
  const chosen = [];
  while (chosen.length < count) {
    const left = [...matrix];
    while (left.length > 0 && chosen.length < count) {
      chosen.push(...left.splice(Math.floor(random() * left.length), 1));
    }
  }
  return chosen;
}

/** mulberry32: the same seed gives the same numbers in [0, 1). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
