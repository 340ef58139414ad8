export { FakeClock, settled } from './fake-clock.ts';
export { FakePage } from './fake-page.ts';
export { ModelNetwork } from './model-network.ts';
export { ModelServer } from './model-server.ts';
export { connectionOver, type ConnectionParts } from '../connection/connection.ts';
