import { UseAfterFree } from '../errors.js';
import type { Sync } from '../sync/task.js';

/** Wraps `object` so that any access after it was freed throws {@link UseAfterFree}. Slots are never reused in checked mode, so `alive` never lies. */
export function guard<T extends object>(
  object: T,
  cache: string,
  slot: number,
  sync: Sync,
  marked: readonly string[],
  alive: () => boolean,
): T {
  const check = (key: string | symbol, what: string): void => {
    if (typeof key !== 'string') return;
    if (!alive()) throw new UseAfterFree(cache, `${what} of '${key}' in freed object ${slot}`);
    if (sync.watch === null || sync.marking) return;
    if (marked.includes(key)) sync.watch.marked(sync.current, object, key);
    else sync.watch.accessed(sync.current, object, key, what === 'write');
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
