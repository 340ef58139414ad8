export { setConnection, useConnection } from './connection/context.ts';
export * from './core.ts';
export { startReporter, type Reporter, type ReporterOptions } from './monitoring/reporter.ts';
export { default as RealtimeProvider } from './RealtimeProvider.svelte';
