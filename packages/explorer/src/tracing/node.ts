import type { Tracing } from './tracing.js';

/** What tracing knows of an object: its name, and the numbers of its parts. */
export class Node {
  /** Of fields, elements or entries, by position. */
  readonly places: number[] = [];
  /** Of entries of a map or set, by key. */
  readonly byKey = new Map<unknown, number>();
  /** Of everything in it together; -1: nobody has looked at that yet. */
  whole = -1;

  constructor(
    readonly tracing: Tracing,
    /** The same in every schedule in which the same thread made the same steps. */
    readonly name: number,
  ) {}
}

/** Where a traced object keeps its node, and a traced class instance the values of its fields. */
export const NODE = Symbol('node of tracing');
export const MEMORY = Symbol('values of traced fields');
/** Where an array keeps the proxy through which it is reached, and the proxy the array. */
const PROXY = Symbol('proxy of a traced array');
const ARRAY = Symbol('array of a proxy');

/** Fields that tracing adds to objects. */
export const TRACING_FIELDS: readonly symbol[] = [NODE, MEMORY, PROXY];

type AnyArray = unknown[] & { [PROXY]?: AnyArray };

/** The array behind a proxy, or the object itself. */
export const untraced = <T extends object>(object: T): T => (object as T & { readonly [ARRAY]?: T })[ARRAY] ?? object;

/** The proxy of an array, made at first use. */
export function proxyOf(array: object, node: Node): object {
  const known = (array as AnyArray)[PROXY];
  if (known !== undefined) return known;
  const proxy = new Proxy(array as AnyArray, new ArrayHandler(node));
  Object.defineProperty(array, PROXY, { value: proxy });
  return proxy;
}

/** An element, by position plus one; 0 is the length. */
const positionOf = (key: string): number => {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 ? Number(key) + 1 : key === 'length' ? 0 : -1;
};

class ArrayHandler implements ProxyHandler<AnyArray> {
  constructor(private readonly node: Node) {}

  get(array: AnyArray, key: string | symbol): unknown {
    if (typeof key === 'symbol') return key === ARRAY ? array : Reflect.get(array, key);
    const { node } = this;
    const position = positionOf(key);
    if (position > 0) {
      const value = array[position - 1];
      node.tracing.read(node, position, value);
      return value;
    }
    if (key === 'set' && !Array.isArray(array)) return (source: ArrayLike<unknown>) => this.copy(array, source);
    const value = Reflect.get(array, key) as unknown;
    if (position === 0) node.tracing.read(node, 0, value);
    // Whoever takes the memory of a typed array may look at all of it.
    else if (key === 'buffer') node.tracing.readWhole(node, array);
    return value;
  }

  set(array: AnyArray, key: string, value: unknown): boolean {
    const { node } = this;
    const position = positionOf(key);
    if (position === 0) {
      for (let i = value as number; i < array.length; i++) node.tracing.write(node, i + 1);
      node.tracing.write(node, 0);
      array.length = value as number;
      return true;
    }
    if (position > array.length) node.tracing.write(node, 0);
    node.tracing.write(node, position);
    if (!Array.isArray(array)) node.tracing.writePart(node);
    array[position - 1] = node.tracing.adopt(value);
    return true;
  }

  /** `set` of a typed array, from its start. */
  private copy(array: AnyArray, source: ArrayLike<unknown>): void {
    const { tracing } = this.node;
    const from = untraced(source);
    const { [NODE]: node } = from as { readonly [NODE]?: Node };
    if (node !== undefined) tracing.readWhole(node, from);
    for (let i = 0; i < from.length; i++) if (array[i] !== from[i]) this.set(array, String(i), from[i]);
  }

  deleteProperty(array: AnyArray, key: string): boolean {
    this.node.tracing.write(this.node, positionOf(key));
    return Reflect.deleteProperty(array, key);
  }
}
