import type { Logger } from 'pino';

/** What is said of a span: names as OpenTelemetry's semantic conventions have them. */
export type SpanFacts = Record<string, string | number | undefined>;

/** Says where the time of a request goes, to whoever collects traces. */
export type Tracing = {
  /**
   * Answers a request in a span of its own: a part of the caller's trace where it has a
   * `traceparent`. `route` is the pattern of its path, where it has one.
   */
  request(
    request: Request,
    route: string | null,
    answer: () => Promise<Response>,
  ): Promise<Response>;
  /** Does work in a span, a part of the one around it. */
  run<Result>(
    name: string,
    facts: SpanFacts,
    work: () => Result | Promise<Result>,
  ): Promise<Result>;
  /** Says more of the span around. */
  note(facts: SpanFacts): void;
  /** The trace that the span around belongs to; null where there is none. */
  traceId(): string | null;
  /** Sends what is still to be sent. */
  close(): Promise<void>;
};

/** Traces nothing, and costs a call. */
export const noTracing: Tracing = {
  request: (_request, _route, answer) => answer(),
  run: async (_name, _facts, work) => work(),
  note: () => undefined,
  traceId: () => null,
  close: () => Promise.resolve(),
};

/**
 * Whether OpenTelemetry's own variables ask for traces: an address to send them to, and nothing that
 * says not to.
 */
export function isTracingWanted(environment: Record<string, string | undefined>): boolean {
  const endpoint =
    environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
  return (
    endpoint !== '' &&
    environment.OTEL_TRACES_EXPORTER !== 'none' &&
    environment.OTEL_SDK_DISABLED?.toLowerCase() !== 'true'
  );
}

/** Traces by OpenTelemetry, which is loaded now and only here. A fault of its own is logged. */
export function createTracing(portal: string, log: Logger): Tracing {
  let loaded: Tracing | undefined;
  const loading = import('./open-telemetry.ts').then(
    ({ createOpenTelemetry }) => (loaded = createOpenTelemetry(portal, log)),
    (error: unknown) => {
      log.error({ err: error }, 'traces are off: OpenTelemetry was not loaded');
      return (loaded = noTracing);
    },
  );
  return {
    request: async (...given) => (loaded ?? (await loading)).request(...given),
    run: async (...given) => (loaded ?? (await loading)).run(...given),
    note: (facts) => loaded?.note(facts),
    traceId: () => loaded?.traceId() ?? null,
    close: async () => (await loading).close(),
  };
}
