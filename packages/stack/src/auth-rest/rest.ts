/** REST: the library's PostgREST, with rights as small as PostgREST's own. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type AnyAST, App, RelationNotFoundError, type ResolvedKey } from '@supabase/lite';
import { PostgresConnection } from '@supabase/lite/postgres';
import { type Caller, callerOf, refuse } from './caller.ts';
import type { AuthRestSettings } from './wire.ts';

/** REST of one database. */
export type Rest = {
  fetch(request: Request): Promise<Response>;
  /** Looks at tables and functions anew with the next request. */
  forgetSchema(): Promise<void>;
  close(): Promise<void>;
};

/** @param catalog sees every table; used for nothing but looking at the schema */
export function createRest({
  settings,
  catalog,
}: {
  settings: AuthRestSettings;
  catalog: PostgresConnection;
}): Rest {
  const connection = new RestConnection(settings.restUrl, catalog);
  const callers = new AsyncLocalStorage<Caller>();
  const app = new App({
    connection,
    api: { schemas: ['public'], max_rows: 1000 },
    db: { migrations: { enabled: false } },
    options: {
      server: {
        disableStudio: true,
        disableFallback: true,
        apiKeys: { resolver: () => Promise.resolve(resolvedKey(callers.getStore())) },
      },
    },
  });
  return {
    async fetch(request) {
      const caller = await callerOf(request, settings);
      if (typeof caller === 'string') return refuse(caller);
      return callers.run(caller, () => app.fetch(withoutToken(request)));
    },
    forgetSchema: () => connection.clearSchemaCache(),
    close: () => connection.driver.end({ timeout: 1 }),
  };
}

function resolvedKey(caller: Caller | undefined): ResolvedKey | null {
  if (caller === undefined) return null;
  return {
    type: caller.role === 'service_role' ? 'secret' : 'publishable',
    claims: caller.claims,
  };
}

/**
 * The library would look a token's user and session up in Auth's tables, with every request. As
 * with PostgREST, a token that is signed and not expired is good.
 */
function withoutToken(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  headers.set('apikey', 'the caller is known');
  return new Request(request, { headers });
}

/**
 * Every statement runs as `authenticator` turned into the role of the request: a request without
 * one can do nothing. What the library looks up in catalogs, where that role sees nothing, is
 * looked up by another connection.
 */
class RestConnection extends PostgresConnection {
  readonly #catalog: PostgresConnection;

  constructor(url: string, catalog: PostgresConnection) {
    super({ url, postgresOptions: { max: 10, idle_timeout: 30, onnotice: () => undefined } });
    this.#catalog = catalog;
    // With its first request the library would grant everything on every schema with row level
    // security to anon, authenticated and service_role. In this state it takes that as done.
    // The field is private to it; `rest.test.ts` notices if it is renamed.
    Reflect.set(this, 'rlsState', 'active');
  }

  override introspect(...args: Parameters<PostgresConnection['introspect']>) {
    return this.#catalog.introspect(...args);
  }

  override viewOptionsMetadata(...args: Parameters<PostgresConnection['viewOptionsMetadata']>) {
    return this.#catalog.viewOptionsMetadata(...args);
  }

  override clearSchemaCache(): Promise<void> {
    return this.#catalog.clearSchemaCache();
  }

  /** A table that isn't known may have been made a moment ago. */
  override async onPostgrestAST(ast: AnyAST): Promise<AnyAST> {
    try {
      return await super.onPostgrestAST(ast);
    } catch (error) {
      if (!(error instanceof RelationNotFoundError)) throw error;
      await this.clearSchemaCache();
      return super.onPostgrestAST(ast);
    }
  }
}
