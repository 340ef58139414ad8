import type { RealtimeApi } from '../connection/api.ts';

/** A part of the API. */
type Answered = { [Capability in keyof RealtimeApi]?: Partial<RealtimeApi[Capability]> };

/** The API of a model that answers a part of it; asking for the rest is a mistake of the test. */
export function onlyAnswers(answered: Answered): RealtimeApi {
  const capabilities = Object.entries(answered).map(([name, procedures]) => [
    name,
    onlyHas(procedures, `${name}.`),
  ]);
  return onlyHas(Object.fromEntries(capabilities) as RealtimeApi, '');
}

function onlyHas<Part extends object>(part: Part, path: string): Part {
  return new Proxy(part, {
    get(target, name, receiver): unknown {
      if (Reflect.has(target, name)) return Reflect.get(target, name, receiver);
      throw new Error(`The model doesn't answer ${path}${String(name)}`);
    },
  });
}
