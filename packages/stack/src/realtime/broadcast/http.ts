/** Broadcasts over HTTP: many messages in one call, or one message whose body is its payload. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthorizationFailure } from '../authorization/policies.ts';
import { TOPIC_PREFIX } from '../channel/topic.ts';
import { isRecord, parseJson } from '../codec/client-message.ts';
import {
  encodeTextBroadcast,
  encodeUserBroadcast,
  fitsBinaryFrame,
} from '../codec/server-message.ts';
import { SharedFrame } from '../codec/shared-frame.ts';
import type { Services } from '../services.ts';
import { TokenError } from '../token/errors.ts';
import type { Claims } from '../token/verifier.ts';
import { InvalidTtl, type Keeping, readPersist } from './persist.ts';

const API_PATH = /^(?:\/realtime\/v1)?\/api\/(ping|broadcast)(?:\/([^/]+)\/events\/([^/]+))?$/;
const MAX_BODY_BYTES = 8_000_000;
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization, apikey, content-type, x-client-info',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
};

/** An answer that is no 202. `body` is sent as JSON. */
class HttpError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(String(status));
    this.status = status;
    this.body = body;
  }
}

type Sender = { claims: Claims; headers: string };

/** Answers the request if its path is one of ours; otherwise returns false. */
export function handleBroadcastRequest(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const match = API_PATH.exec(url.pathname);
  if (match === null) return false;
  const [, endpoint, topic, event] = match;
  if (endpoint === 'broadcast') tellRate(services, response);
  answer(services, request, { endpoint, topic, event, url }).then(
    (status) => respond(response, status, null),
    (error: unknown) => respondError(services, response, error),
  );
  return true;
}

type Route = { endpoint?: string; topic?: string; event?: string; url: URL };

async function answer(services: Services, request: IncomingMessage, route: Route): Promise<number> {
  if (request.method === 'OPTIONS') return 204;
  if (route.endpoint === 'ping') return 200;
  if (request.method !== 'POST') throw new HttpError(404, { message: 'Not found' });
  const sender = await authenticate(services, request);
  if (services.events.isReached(services.now())) throw tooMany('Too many requests');
  const body = await readBody(request);
  if (route.topic !== undefined && route.event !== undefined) {
    await publishOne(services, sender, request, route, body);
  } else {
    await publishMany(services, sender, parseJson(body.toString('utf8')));
  }
  return 202;
}

async function authenticate(services: Services, request: IncomingMessage): Promise<Sender> {
  const bearer = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const apikey = request.headers.apikey;
  const token = bearer ?? (typeof apikey === 'string' ? apikey : undefined);
  if (token === undefined) throw new HttpError(401, { message: 'Unauthorized' });
  try {
    const claims = await services.tokens.verify(token);
    return { claims, headers: JSON.stringify(request.headers) };
  } catch (error) {
    if (error instanceof TokenError) throw new HttpError(401, { message: 'Unauthorized' });
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new HttpError(413, { message: 'Payload too large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

type Message = { topic: string; event: string; payload: unknown; isPrivate: boolean; id?: string };

/** Each message of a batch is judged by itself: one that may not be sent is dropped in silence. */
async function publishMany(services: Services, sender: Sender, body: unknown): Promise<void> {
  const messages = readMessages(services, body);
  const { limits, events, meter, now } = services;
  if (messages.length + events.average(now()) > limits.eventsPerSecond) {
    throw tooMany('Too many messages to broadcast, please reduce the batch size');
  }
  const allowed = new Map<string, boolean>();
  for (const { topic, isPrivate } of messages) {
    if (!isPrivate || allowed.has(topic)) continue;
    allowed.set(topic, await services.policies.canWrite({ topic, ...sender }, 'broadcast'));
  }
  for (const message of messages) {
    if (message.isPrivate && allowed.get(message.topic) !== true) {
      meter.drops.deniedBroadcast += 1;
      continue;
    }
    const name = TOPIC_PREFIX + message.topic;
    const { event, payload, id } = message;
    const meta = id === undefined ? {} : { meta: { id } };
    const json = JSON.stringify({ type: 'broadcast', event, payload, ...meta });
    const frame = new SharedFrame((version) => encodeTextBroadcast(version, name, json));
    events.count(now());
    meter.eventsFromHttp += 1;
    services.topics.find(name, message.isPrivate)?.broadcasts.send(frame);
  }
}

/** The rate of now as headers, in upstream's names; none where nothing is limited. */
function tellRate({ limits, events, now }: Services, response: ServerResponse): void {
  const limit = limits.eventsPerSecond;
  if (limit === Infinity) return;
  const nowMs = now();
  const rolling = Math.trunc(events.average(nowMs));
  response.setHeader('x-rate-rolling', rolling);
  response.setHeader('x-rate-limit', limit);
  response.setHeader('x-rate-limit-remaining', Math.max(0, limit - rolling));
  // Not upstream's: the average doesn't fall before its next step.
  if (rolling >= limit) response.setHeader('retry-after', Math.ceil(limits.rateTickMs / 1000));
}

function tooMany(message: string): HttpError {
  return new HttpError(429, { message });
}

function readMessages(services: Services, body: unknown): Message[] {
  const given = isRecord(body) ? body.messages : undefined;
  if (!Array.isArray(given)) throw invalid([{ messages: ["can't be blank"] }]);
  return given.map((message: unknown) => {
    const { topic, event, payload, private: isPrivate, id } = isRecord(message) ? message : {};
    const problems: Record<string, string[]> = {};
    if (typeof topic !== 'string' || topic === '') problems.topic = ["can't be blank"];
    if (typeof event !== 'string' || event === '') problems.event = ["can't be blank"];
    if (!isRecord(payload)) problems.payload = ["can't be blank"];
    else if (Buffer.byteLength(JSON.stringify(payload)) > services.limits.payloadBytes) {
      problems.payload = ['Payload size exceeds tenant limit'];
    }
    if (Object.keys(problems).length > 0) throw invalid([problems]);
    return {
      topic: String(topic),
      event: String(event),
      payload,
      isPrivate: isPrivate === true,
      ...(typeof id === 'string' ? { id } : {}),
    };
  });
}

function invalid(messages: Record<string, string[]>[]): HttpError {
  return new HttpError(422, { errors: { messages } });
}

async function publishOne(
  services: Services,
  sender: Sender,
  request: IncomingMessage,
  route: Route,
  body: Buffer,
): Promise<void> {
  const topic = decodeURIComponent(route.topic ?? '');
  const event = decodeURIComponent(route.event ?? '');
  const isJson = isJsonBody(request);
  const isPrivate = route.url.searchParams.get('private') === 'true';
  const name = TOPIC_PREFIX + topic;
  if (isJson && parseJson(body.toString('utf8')) === undefined) {
    throw new HttpError(422, { message: 'The body is not valid JSON' });
  }
  if (!fitsBinaryFrame(name, event))
    throw new HttpError(422, { message: 'Topic or event too long' });
  if (body.length > services.limits.payloadBytes) {
    throw new HttpError(422, { message: 'Payload size exceeds tenant limit' });
  }
  const keeping = keepingOf(route.url.searchParams, isPrivate);
  if (isPrivate && !(await services.policies.canWrite({ topic, ...sender }, 'broadcast'))) {
    services.meter.drops.deniedBroadcast += 1;
    throw new HttpError(403, { message: 'Forbidden' });
  }
  const payload = { event, isJson, bytes: body };
  const mayKeep =
    keeping !== null && (await services.policies.canWrite({ topic, ...sender }, 'persistence'));
  const id = mayKeep ? await services.kept.keep(topic, payload, keeping) : null;
  const frame = new SharedFrame((version) => encodeUserBroadcast(version, name, payload, ''), id);
  services.events.count(services.now());
  services.meter.eventsFromHttp += 1;
  services.topics.find(name, isPrivate)?.broadcasts.send(frame);
}

/** `persist=true` or `persist[ttl]=60`. */
function keepingOf(query: URLSearchParams, isPrivate: boolean): Keeping | null {
  const ttl = query.get('persist[ttl]');
  try {
    const keeping = readPersist(ttl === null ? query.get('persist') : { ttl });
    if (keeping === null || isPrivate) return keeping;
  } catch (error) {
    if (error instanceof InvalidTtl) throw unkept(error.message);
    throw error;
  }
  throw unkept('can only be used on private channels');
}

function unkept(reason: string): HttpError {
  return new HttpError(422, { errors: { persist: [reason] } });
}

function isJsonBody(request: IncomingMessage): boolean {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return true;
  if (type === 'application/octet-stream') return false;
  throw new HttpError(415, { message: 'Unsupported media type' });
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const type = body === null ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...CORS, ...type });
  response.end(body === null ? undefined : JSON.stringify(body));
}

function respondError(services: Services, response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError) {
    respond(response, error.status, error.body);
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  services.log({ level: 'error', part: 'broadcast', message });
  const known = error instanceof AuthorizationFailure;
  respond(response, 500, { message: known ? message : 'Internal server error' });
}
