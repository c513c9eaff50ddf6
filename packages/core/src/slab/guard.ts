import { UseAfterFree } from '../errors.js';

/** Wraps `object` so that any access after it was freed throws {@link UseAfterFree}. Slots are never reused in checked mode, so `alive` never lies. */
export function guard<T extends object>(object: T, cache: string, slot: number, alive: () => boolean): T {
  const check = (key: string | symbol, what: string): void => {
    if (typeof key === 'string' && !alive()) throw new UseAfterFree(cache, `${what} of '${key}' in freed object ${slot}`);
  };
  return new Proxy(object, {
    get(target, key, receiver): unknown {
      check(key, 'read');
      return Reflect.get(target, key, receiver);
    },
    set(target, key, value, receiver): boolean {
      check(key, 'write');
      return Reflect.set(target, key, value, receiver);
    },
  });
}
