import {
  context,
  diag,
  DiagLogLevel,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Logger } from 'pino';
import { toApiError } from '../server/errors.ts';
import type { Tracing } from './tracing.ts';

/**
 * Sends spans to where `OTEL_EXPORTER_OTLP_ENDPOINT` says. Sampler, headers, batches, limits and
 * names are set by the other standard variables, which the SDK reads itself.
 */
export function createOpenTelemetry(portal: string, log: Logger): Tracing {
  // Such as a collector that doesn't answer: nobody's request has to know.
  diag.setLogger(
    {
      error: (message, ...rest) => log.warn({ details: rest }, `traces: ${message}`),
      warn: (message, ...rest) => log.warn({ details: rest }, `traces: ${message}`),
      info: () => undefined,
      debug: () => undefined,
      verbose: () => undefined,
    },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before what we call it.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': `homeroom-${portal}` }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const tracer = provider.getTracer('homeroom');

  return {
    request(request, route, answer) {
      const { pathname } = new URL(request.url);
      const name = route === null ? request.method : `${request.method} ${route}`;
      const facts = {
        'http.request.method': request.method,
        'http.route': route ?? undefined,
        'url.path': pathname,
      };
      const parent = propagation.extract(context.active(), Object.fromEntries(request.headers));
      return tracer.startActiveSpan(
        name,
        { kind: SpanKind.SERVER, attributes: facts },
        parent,
        (span) => ended(span, answer),
      );
    },
    run: (name, facts, work) =>
      tracer.startActiveSpan(
        name,
        {
          kind: 'db.system.name' in facts ? SpanKind.CLIENT : SpanKind.INTERNAL,
          attributes: facts,
        },
        (span) => ended(span, async () => work()),
      ),
    note: (facts) => trace.getActiveSpan()?.setAttributes(facts),
    traceId: () => trace.getActiveSpan()?.spanContext().traceId ?? null,
    close: () => provider.shutdown(),
  };
}

/** Ends a span with its work. What the caller did wrong is said, and is no fault of the span's. */
async function ended<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work();
    if (result instanceof Response) {
      span.setAttribute('http.response.status_code', result.status);
      if (result.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    return result;
  } catch (error) {
    const { appCode, status } = toApiError(error);
    span.setAttribute('error.type', appCode);
    if (status >= 500) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.recordException(error instanceof Error ? error : String(error));
    }
    throw error;
  } finally {
    span.end();
  }
}
