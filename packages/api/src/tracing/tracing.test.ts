import { createServer } from 'node:http';
import { afterEach, expect, it, vi } from 'vitest';
import { classroom, PORTAL } from '../testing/classroom.ts';
import { TRPC_ENDPOINT } from '../server/api.ts';
import { isTracingWanted } from './tracing.ts';

type Attribute = { key: string; value: { stringValue?: string; intValue?: number } };
type SentSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: Attribute[];
  status: { code?: number };
};
type Sent = {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: SentSpan[] }[];
  }[];
};

afterEach(() => vi.unstubAllEnvs());

/** A collector: takes what OpenTelemetry sends over HTTP. */
async function collector() {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      sent.push(JSON.parse(Buffer.concat(chunks).toString()) as Sent);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    services: () =>
      sent
        .flatMap(({ resourceSpans }) => resourceSpans)
        .map(({ resource }) => valueOf(resource.attributes, 'service.name')),
    spans: () =>
      sent
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function valueOf(attributes: Attribute[], name: string): string | undefined {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue?.toString();
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';

it('follows a request from its caller’s trace through the procedure into the database', async () => {
  await using collected = await collector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collected.url);
  vi.stubEnv('OTEL_SERVICE_NAME', 'a-school');
  {
    await using room = await classroom({ tracing: isTracingWanted(process.env) });
    const ann = await room.db.a.student();
    const call = async (procedure: string) => {
      const request = new Request(`${PORTAL}${TRPC_ENDPOINT}/${procedure}`, {
        headers: {
          authorization: `Bearer ${await room.db.token(ann)}`,
          traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
        },
      });
      return room.api.tracing.request(request, '/api/trpc/[...path]', () =>
        room.api.trpc(request, null),
      );
    };
    const answer = await call('identity.me');
    expect(answer.status).toBe(200);
    // One id for all: in the answer, in the log, and as the transaction's name in the database.
    expect(answer.headers.get('x-request-id')).toBe(TRACE);
    await call('monitoring.overview');
  }
  const [asked, refused] = ['identity.me', 'monitoring.overview'].map((name) =>
    collected.spans().find((span) => span.name === name),
  );
  const around = collected.spans().find(({ spanId }) => spanId === asked?.parentSpanId);
  const within = collected.spans().find(({ parentSpanId }) => parentSpanId === asked?.spanId);
  expect(around).toMatchObject({ name: 'GET /api/trpc/[...path]', traceId: TRACE });
  expect(around?.parentSpanId).toBe('b7ad6b7169203331');
  expect(valueOf(around?.attributes ?? [], 'http.response.status_code')).toBe('200');
  expect(within).toMatchObject({ name: 'transaction read', traceId: TRACE });
  // What a caller may not do is said, and is no fault.
  expect(valueOf(refused?.attributes ?? [], 'error.type')).toBe('ROLE_FORBIDDEN');
  expect(refused?.status.code ?? 0).toBe(0);
  expect(new Set(collected.services())).toEqual(new Set(['a-school']));
});

it('is asked for by OpenTelemetry’s own variables only', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  expect(isTracingWanted({})).toBe(false);
  expect(isTracingWanted({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
  expect(isTracingWanted(endpoint)).toBe(true);
  expect(isTracingWanted({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBe(false);
  expect(isTracingWanted({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
});
