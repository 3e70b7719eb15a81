import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpSeen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface HttpReply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON, a string as it is; undefined: the connection is cut. */
  readonly body?: unknown;
  readonly afterMs?: number;
}

/** A real HTTP server on loopback that answers what a spec tells it to, and keeps what it saw. */
export class ScriptedGateway {
  readonly seen: HttpSeen[] = [];
  readonly #server: Server;
  #script: HttpReply[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const text = Buffer.concat(chunks).toString();
        const { method = '', url = '', headers } = request;
        this.seen.push({ method, url, headers, body: text ? JSON.parse(text) : undefined });
        const reply = this.#script.length > 1 ? this.#script.shift() : this.#script[0];
        if (reply?.afterMs)
          await new Promise((resolve) => setTimeout(resolve, reply.afterMs).unref());
        if (!reply || reply.body === undefined) return void request.socket.destroy();
        response.writeHead(reply.status ?? 200, reply.headers ?? {});
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
      })();
    });
  }

  static async start(): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway();
    await new Promise<void>((resolve) => gateway.#server.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers in turn; the last one for ever. */
  answer(...replies: HttpReply[]): void {
    this.seen.length = 0;
    this.#script = replies;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
