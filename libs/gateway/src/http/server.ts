import type { AddressInfo } from 'node:net';
import {
  Catch,
  HttpException,
  Module,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccessLog } from './access-log.js';
import { gatewayAdapter, sendProblem } from './adapter.js';
import { asyncApiDocument } from './asyncapi.js';
import { DOCS_PATH, serveDocs } from './docs.js';
import { HostCheck } from './hosts.js';
import { openApiDocument } from './openapi.js';
import { operationRoutes, type HttpSurface } from './routes.js';

/** Long polls, and connections that never asked anything, are cut off this long after the stop. */
const CLOSE_MS_MAX = 3_000;

export interface HttpConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Requests under way at most; default REQUESTS_IN_FLIGHT_MAX. */
  readonly requestsMax?: number;
  /** Names beside those of loopback that MCP is served under, and to whose web pages. */
  readonly allowedHosts?: readonly string[];
}

/** Nest only hosts the server: operations have no controllers. */
@Module({})
class HttpHost {}

/** Turns what Nest's own routes throw (a path that is not served) into problems. */
@Catch()
class ProblemFilter implements ExceptionFilter {
  readonly #log: AccessLog;

  constructor(log: AccessLog) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    this.#log.failed(request, error);
    const status = error instanceof HttpException ? { statusCode: error.getStatus() } : error;
    void sendProblem(reply, status);
  }
}

/** The gateway's public HTTP server: every operation with a binding, the document, the docs. */
export class HttpServer {
  readonly #app: NestFastifyApplication;

  private constructor(app: NestFastifyApplication) {
    this.#app = app;
  }

  /** Starts to listen. */
  static async listen(
    surface: HttpSurface,
    { host, port, requestsMax, allowedHosts }: HttpConfig,
  ): Promise<HttpServer> {
    const adapter = gatewayAdapter();
    const app = await NestFactory.create<NestFastifyApplication>(HttpHost, adapter, {
      abortOnError: false,
      bodyParser: false,
    });
    app.useGlobalFilters(new ProblemFilter(surface.log));
    adapter.getInstance().addHook('onResponse', (request, reply, next) => {
      surface.log.answered(request, reply);
      next();
    });
    const limited = requestsMax === undefined ? surface : { ...surface, requestsMax };
    adapter.getInstance().register(operationRoutes(limited, new HostCheck(host, allowedHosts)));
    const documents = [
      openApiDocument(surface.operations),
      asyncApiDocument(surface.operations),
    ] as const;
    if (!(await serveDocs(app, ...documents))) {
      surface.log.notice(`${DOCS_PATH} is not served: @fastify/static can’t be loaded`);
    }
    await app.listen({ host, port });
    return new HttpServer(app);
  }

  get port(): number {
    return (this.#app.getHttpServer().address() as AddressInfo).port;
  }

  /** Takes nothing new, finishes what is under way, within a few seconds. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.#app.getHttpServer().closeAllConnections(), CLOSE_MS_MAX);
    await this.#app.close();
    clearTimeout(cut);
  }
}
