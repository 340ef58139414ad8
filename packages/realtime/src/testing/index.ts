export { FakeClock, settled } from './fake-clock.ts';
export { FakePage } from './fake-page.ts';
export { ModelNetwork } from './model-network.ts';
export { ModelServer } from './model-server.ts';
export { healthyStage, modelStage, until, watch, type ModelStage } from './stage.ts';
export { connectionOver, type ConnectionParts } from '../connection/connection.ts';
