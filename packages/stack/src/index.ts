/** A local Supabase in Node, without Docker: Postgres, Auth, REST and Realtime. */
export type { Job } from './jobs/scheduler.ts';
export type { LogEntry } from './log.ts';
export { AlreadyRunningError, PortTakenError } from './postgres/errors.ts';
export { type Stack, type StackOptions, startStack } from './stack.ts';
export { resetStack, type StackStatus, stackStatus, stopStack } from './status.ts';
export {
  machineLimits,
  type RealtimeLimits,
  type RealtimeMetrics,
  upstreamLimits,
} from './realtime/index.ts';
