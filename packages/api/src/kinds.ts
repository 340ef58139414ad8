/** Constants of the contracts, without zod, for the browser. */
export * from './activity/kinds-contract.ts';
export * from './attendance/kinds-contract.ts';
export * from './authoring/kinds-contract.ts';
export * from './discussions/kinds-contract.ts';
export * from './notifications/kinds-contract.ts';
export * from './services/kinds-contract.ts';
