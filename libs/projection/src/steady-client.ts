import { Client, type ClientConfig } from 'pg';

/**
 * A client whose connection may be cut at any moment, also between being connected and its user's
 * first line: an `error` event that nobody hears would end the process. Who uses the client sees
 * the loss at the next query.
 */
export class SteadyClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
