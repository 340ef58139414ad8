/** A place that outlives the page, by keys. */
export type KeyValue = {
  get(key: string): string | null;
  /** False when there is no room, or storing is forbidden. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  /** The keys that begin so. */
  keys(beginning: string): string[];
};

/** A place that lasts as long as the page. */
export function memory(): KeyValue {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => (values.set(key, value), true),
    remove: (key) => void values.delete(key),
    keys: (beginning) => [...values.keys()].filter((key) => key.startsWith(beginning)),
  };
}

/** The browser's own storage; where there is none, or it is blocked, {@link memory}. */
export function browserStorage(): KeyValue {
  let storage: Storage;
  try {
    if (typeof localStorage === 'undefined') return memory();
    storage = localStorage;
  } catch {
    return memory(); // reading the property alone throws when a person blocks site data
  }
  return {
    get: (key) => storage.getItem(key),
    set(key, value) {
      try {
        storage.setItem(key, value);
        return true;
      } catch {
        return false; // full
      }
    },
    remove: (key) => storage.removeItem(key),
    keys: (beginning) => Object.keys(storage).filter((key) => key.startsWith(beginning)),
  };
}
