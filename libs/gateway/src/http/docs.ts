import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { AsyncApiDocument } from './asyncapi.js';
import type { OpenApiDocument } from './openapi.js';

export const DOCUMENT_PATH = '/openapi.json';
export const ASYNC_DOCUMENT_PATH = '/asyncapi.json';
export const DOCS_PATH = '/docs';

/**
 * The documents, and a page to read and try REST's. All are public: they say what there is, never
 * what is in it. The page's files are served from here, so it works without the internet.
 * @returns whether the page is there too: without the package that serves its files it is not
 */
export async function serveDocs(
  app: NestFastifyApplication,
  document: OpenApiDocument,
  asyncDocument: AsyncApiDocument,
): Promise<boolean> {
  const page = await canServeFiles();
  const instance = app.getHttpAdapter().getInstance();
  const documents = { [DOCUMENT_PATH]: document, [ASYNC_DOCUMENT_PATH]: asyncDocument };
  for (const [path, content] of Object.entries(documents)) {
    const text = JSON.stringify(content);
    instance.get(path, (_request, reply) =>
      reply.header('content-type', 'application/json; charset=utf-8').send(text),
    );
  }
  instance.get('/', (_request, reply) => reply.redirect(page ? DOCS_PATH : DOCUMENT_PATH));
  if (page) {
    SwaggerModule.setup(DOCS_PATH, app, document as unknown as OpenAPIObject, {
      raw: false,
      customSiteTitle: 'Athena API',
      swaggerOptions: { defaultModelsExpandDepth: 0, docExpansion: 'list', tryItOutEnabled: true },
    });
  }
  return page;
}

/** Nest ends the whole process where it can't load this package, so it is tried here first. */
const canServeFiles = (): Promise<boolean> =>
  import('@fastify/static').then(
    () => true,
    () => false,
  );
