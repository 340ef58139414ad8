/** `GET /realtime/v1/metrics`, for whoever has the secret key. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '../token/verifier.ts';
import { TokenError } from '../token/errors.ts';
import type { RealtimeMetrics } from './meter.ts';
import { PrometheusText } from './prometheus.ts';

const PATH = /^(?:\/realtime\/v1)?\/metrics$/;

/** Answers the endpoint; made with the first question, since the process's own metrics cost a little. */
export class MetricsEndpoint {
  readonly #tokens: TokenVerifier;
  readonly #snapshot: () => Promise<RealtimeMetrics>;
  #text: PrometheusText | null = null;

  constructor(tokens: TokenVerifier, snapshot: () => Promise<RealtimeMetrics>) {
    this.#tokens = tokens;
    this.#snapshot = snapshot;
  }

  /** Answers the request if its path is this one; otherwise returns false. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method !== 'GET' || !PATH.test(path)) return false;
    this.#answer(request, response).catch((error: unknown) => response.destroy(asError(error)));
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!(await this.#isAllowed(request))) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"message":"Metrics are for holders of the secret key"}');
      return;
    }
    this.#text ??= new PrometheusText();
    const body = await this.#text.render(await this.#snapshot());
    response.writeHead(200, { 'content-type': this.#text.contentType }).end(body);
  }

  /** The key comes as `apikey`, or as bearer token, which is what Prometheus can send. */
  async #isAllowed({ headers }: IncomingMessage): Promise<boolean> {
    const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1];
    const token = bearer ?? headers.apikey;
    if (typeof token !== 'string') return false;
    try {
      return (await this.#tokens.verify(token)).role === 'service_role';
    } catch (error) {
      if (error instanceof TokenError) return false;
      throw error;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
