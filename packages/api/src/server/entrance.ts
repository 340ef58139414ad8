import { createContext, requestIdOf, type Context, type Services } from './context.ts';
import { isServiceKey, type Service } from '../services/service-keys.ts';
import { ApiError, toApiError } from './errors.ts';
import { requireOwnOrigin } from './origin.ts';
import type { Session } from './session.ts';

/** What the server knows of a request besides what is in it. */
export type Peer = {
  /** The caller's network address: calls without a session are counted by it. */
  clientAddress?: string;
};

/** A request whose caller isn't known yet. */
export type Entrance = {
  requestId: string;
  /** Finds out who is calling. @throws ApiError when the token or the origin isn't good */
  enter(): Promise<Context>;
};

/**
 * Where every HTTP call comes in, tRPC's and REST's. `cookieSession` is that of the portal's
 * cookies; a bearer token, a user's or a service's, goes before it.
 */
export function createEntrance(
  services: Services,
  verifyToken: (token: string) => Promise<Session>,
  verifyKey: (key: string) => Promise<Service>,
): (request: Request, cookieSession: Session | null, peer?: Peer) => Entrance {
  return (request, cookieSession, peer) => {
    const requestId = requestIdOf(request, services.tracing);
    return {
      requestId,
      async enter() {
        try {
          const token = bearerToken(request);
          if (cookieSession && token === null) requireOwnOrigin(request);
          if (token !== null && isServiceKey(token)) {
            const service = await verifyKey(token);
            return createContext(services, { service, requestId, ...peer });
          }
          const session = token === null ? cookieSession : await verifyToken(token);
          return createContext(services, { session, requestId, ...peer });
        } catch (error) {
          const { status, cause } = toApiError(error);
          if (status >= 500) services.log.error({ requestId, err: cause ?? error }, 'entrance');
          throw error;
        }
      },
    };
  };
}

/** The token of the `Authorization` header; null when there is no such header. */
function bearerToken(request: Request): string | null {
  const header = request.headers.get('authorization');
  if (header === null) return null;
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (!token) throw new ApiError('SESSION_INVALID');
  return token;
}
