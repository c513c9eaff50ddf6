import type { Tracing } from './tracing.js';

/** What is never made anew: it was there before the first schedule, or was met in several. */
export const LASTING = 0;

/** What tracing knows of an object: its name, and the numbers of its parts, which objects of one name share. */
export class Node {
  /** Of fields, elements or entries, by position. */
  places: number[];
  /** Of entries of a map or set, by key, and of everything in it together. */
  byKey: Map<unknown, number>;

  /** @param same an object of another schedule with this name */
  constructor(
    public tracing: Tracing,
    /** The same in every schedule in which the same thread made the same steps. */
    public name: number,
    /** In which it was made, or {@link LASTING}. */
    public schedule: number,
    same: Node | undefined,
  ) {
    this.places = same?.places ?? [];
    this.byKey = same?.byKey ?? new Map();
  }

  /** It is met again in another schedule, or program. */
  keep(tracing: Tracing, name: number): void {
    this.tracing = tracing;
    this.name = name;
    this.schedule = LASTING;
    this.places = [];
    this.byKey = new Map();
  }
}

/** Where a traced object keeps its node, and a traced class instance the values of its fields. */
export const NODE = Symbol('node of tracing');
export const MEMORY = Symbol('values of traced fields');
/** Where an array keeps the proxy through which it is reached, and the proxy the array. */
const PROXY = Symbol('proxy of a traced array');
const ARRAY = Symbol('array of a proxy');

/** Fields that tracing adds to objects. */
export const TRACING_FIELDS: readonly symbol[] = [NODE, MEMORY, PROXY];

type AnyArray = unknown[] & { [NODE]?: Node; [PROXY]?: AnyArray };

/** The array behind a proxy, or the object itself. */
export const untraced = <T extends object>(object: T): T => (object as T & { readonly [ARRAY]?: T })[ARRAY] ?? object;

/** The proxy of an array, made at first use; the array itself where it can't carry a node. */
export function proxyOf(array: object): object {
  const { [NODE]: node, [PROXY]: known } = array as AnyArray;
  if (node === undefined || known !== undefined) return known ?? array;
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
