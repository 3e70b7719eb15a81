import type { IncomingHttpHeaders } from 'node:http';
import { FORBIDDEN, Refused } from '@athena/operation';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const BOUND_TO_LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * Keeps web pages from talking to a server on the reader's own machine under a name that was made
 * to point there (DNS rebinding). A server bound to loopback answers under loopback names only;
 * a request that a browser sends for a page is answered for pages of loopback names only. More
 * names are let in by `allowed`. A server bound elsewhere can't know its names unless told so.
 */
export class HostCheck {
  readonly #hosts: ReadonlySet<string> | null;
  readonly #origins: ReadonlySet<string>;

  /** @param bound the address the server listens on */
  constructor(bound: string, allowed: readonly string[] = []) {
    const names = new Set([...LOOPBACK, ...allowed]);
    this.#origins = names;
    this.#hosts = BOUND_TO_LOOPBACK.has(bound) || allowed.length > 0 ? names : null;
  }

  /** @throws Refused FORBIDDEN */
  check({ host, origin }: IncomingHttpHeaders): void {
    if (this.#hosts && !this.#hosts.has(hostnameOf(`http://${host}`) ?? '')) {
      throw Refused.because(FORBIDDEN, 'the Host header names no host that is served here');
    }
    if (origin !== undefined && !this.#origins.has(hostnameOf(origin) ?? '')) {
      throw Refused.because(FORBIDDEN, 'requests from web pages of this Origin are not served');
    }
  }
}

const hostnameOf = (url: string): string | null =>
  URL.canParse(url) ? new URL(url).hostname : null;
