import { getContext, setContext } from 'svelte';
import type { Connection } from './connection.ts';

const KEY = Symbol('homeroom connection');

/** Gives the connection to every component below; `<RealtimeProvider>` does it for you. */
export function setConnection(connection: Connection): Connection {
  return setContext(KEY, connection);
}

/** The tab's connection. Call it while a component below `<RealtimeProvider>` is being set up. */
export function useConnection(): Connection {
  const connection = getContext<Connection | undefined>(KEY);
  if (!connection) {
    throw new Error(
      'useConnection() found no connection. Put <RealtimeProvider> around this component, in the layout of the signed-in pages.',
    );
  }
  return connection;
}
