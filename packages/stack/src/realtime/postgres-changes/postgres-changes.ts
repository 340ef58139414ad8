import type { Channel } from '../channel/channel.ts';
import type { BindingParams } from '../channel/join-config.ts';

/** Not yet. */
export class PostgresChanges {
  /** The bindings with their ids, for the join's reply. */
  describe(bindings: BindingParams[]): BindingParams[] {
    return bindings.map((binding, index) => ({ ...binding, id: index }));
  }
  subscribe(_channel: Channel): void {}
  resubscribe(_channel: Channel): void {}
  unsubscribe(_channel: Channel): void {}
}
