/** What the gateway and the worker that serves Auth and REST say to each other. */
import type { KeySet } from '../keys/key-set.ts';
import type { MailMessage } from '../mail/mail-message.ts';

/** How Auth and REST are served. Plain data: it crosses to the worker. */
export type AuthRestSettings = {
  /** Connection string of a role that may read all catalogs: `postgres`. */
  catalogUrl: string;
  /** As `supabase_auth_admin`, the owner of Auth's tables. */
  authUrl: string;
  /** As `authenticator`, which can do nothing but become somebody's role. */
  restUrl: string;
  jwtSecret: string;
  publishableKey: string;
  secretKey: string;
  /** Public keys of tokens that another signs. */
  jwks?: KeySet | undefined;
  /** Where links in mails lead when the request doesn't name another allowed place. */
  siteUrl: string;
  /** Other allowed places, as patterns: `http://localhost:5174/**`. */
  redirectUrls: string[];
  accessTokenSeconds: number;
  /** Whether a new account must confirm its address before it can sign in. */
  confirmEmail: boolean;
  /** Between two mails of one kind to one address. */
  mailIntervalSeconds: number;
};

/** An HTTP request, whole. */
export type WireRequest = {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | null;
};

/** An HTTP response, whole. */
export type WireResponse = {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
};

/** To the worker. */
export type ToWorker = { kind: 'request'; id: number; request: WireRequest } | { kind: 'close' };

/** From the worker. A mail that a request causes comes before its response. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'response'; id: number; response: WireResponse }
  | { kind: 'mail'; mail: MailMessage }
  | { kind: 'failure'; message: string };
