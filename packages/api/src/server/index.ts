/** The API's server side: what the portals mount. */
export { createMonitor, type Monitor } from '../monitoring/monitor.ts';
export { createApi, TRPC_ENDPOINT, type Api, type Caller } from './api.ts';
export type { Peer } from './entrance.ts';
export { ApiError, toApiError } from './errors.ts';
export { requestIdOf } from './context.ts';
export type { Health, Readiness } from './health.ts';
export type { ErrorData } from './procedures.ts';
export { RATE_LIMITS_DEFAULT, type RateLimits } from './rate-limits.ts';
export type { Session } from './session.ts';
export { readSettings, SettingsError, type Settings } from './settings.ts';
