export { setConnection, useConnection } from './connection/context.ts';
export * from './core.ts';
export { default as RealtimeProvider } from './RealtimeProvider.svelte';
