import type { AppRouter } from '@homeroom/api';
import type { TRPCClient } from '@trpc/client';
import { createContext } from 'svelte';

/** The API of the portal, typed from its router. */
export type Api = TRPCClient<AppRouter>;

/** The page's API, for every component below `<LivePortal>`. */
export const [useApi, setApi] = createContext<Api>();
