import type { Connection } from '../connection/connection.ts';
import { storageOf } from './keep.ts';

/** What a person is writing at one place; kept on this device until it is sent. */
export type Draft = { readonly text: string; set(text: string): void };

/** The draft of a place, such as `thread.<id>`, of a connection's user. */
export function draftOf(connection: Connection, place: string): Draft {
  const key = `homeroom.${connection.userId}.draft.${place}`;
  const storage = storageOf(connection);
  let text = storage.get(key) ?? '';
  return {
    get text() {
      return text;
    },
    set(next) {
      text = next;
      if (next === '') storage.remove(key);
      else storage.set(key, next);
    },
  };
}
