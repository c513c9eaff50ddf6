import { NUMBER_FIELDS } from '../numbers.js';
import { Untraceable } from '../program.js';
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
  const proxy = new Proxy(array as AnyArray, Array.isArray(array) ? new ArrayHandler(node) : new ViewHandler(node));
  Object.defineProperty(array, PROXY, { value: proxy });
  return proxy;
}

/** By what threads reach a value: the proxy of an array that has one. */
export const reached = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? ((value as { readonly [PROXY]?: object })[PROXY] ?? value) : value;

/** An element, by position plus one; 0 is the length. */
const positionOf = (key: string): number => {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 ? Number(key) + 1 : key === 'length' ? 0 : -1;
};

class ArrayHandler implements ProxyHandler<AnyArray> {
  constructor(protected readonly node: Node) {}

  get(array: AnyArray, key: string | symbol): unknown {
    if (key === ARRAY) return array;
    const position = typeof key === 'symbol' ? -1 : positionOf(key);
    if (position < 0) return this.other(array, key);
    const value = position === 0 ? array.length : array[position - 1];
    this.node.tracing.read(this.node, position, value);
    return value;
  }

  set(array: AnyArray, key: string | symbol, value: unknown): boolean {
    // A step may be about an array.
    if (typeof key === 'symbol' && NUMBER_FIELDS.includes(key)) return Reflect.set(array, key, value);
    const { node } = this;
    const position = typeof key === 'symbol' ? -1 : positionOf(key);
    if (position < 0) throw new Untraceable(`the field '${String(key)}' of an array can't be followed: let an object have it`);
    if (position === 0) {
      for (let i = value as number; i < array.length; i++) node.tracing.write(node, i + 1);
      node.tracing.write(node, 0);
      array.length = value as number;
      return true;
    }
    if (position > array.length) node.tracing.write(node, 0);
    node.tracing.write(node, position);
    array[position - 1] = node.tracing.adopt(value);
    return true;
  }

  deleteProperty(array: AnyArray, key: string): boolean {
    this.node.tracing.write(this.node, positionOf(key));
    return Reflect.deleteProperty(array, key);
  }

  has(array: AnyArray, key: string | symbol): boolean {
    const there = Reflect.has(array, key);
    this.ask(key, there);
    return there;
  }

  getOwnPropertyDescriptor(array: AnyArray, key: string | symbol): PropertyDescriptor | undefined {
    const field = Reflect.getOwnPropertyDescriptor(array, key);
    this.ask(key, field !== undefined);
    if (field !== undefined && typeof key !== 'symbol') this.get(array, key);
    return field;
  }

  ownKeys(array: AnyArray): (string | symbol)[] {
    this.get(array, 'length');
    for (let i = 0; i < array.length; i++) this.node.tracing.ask(this.node, i + 1, i in array);
    return Reflect.ownKeys(array);
  }

  defineProperty(): never {
    throw new Untraceable("what is defined in an array can't be followed: store it");
  }

  /** Whether something is there is asked; that the length is, goes without saying. */
  private ask(key: string | symbol, there: boolean): void {
    const position = typeof key === 'symbol' ? -1 : positionOf(key);
    if (position > 0) this.node.tracing.ask(this.node, position, there);
  }

  /** What is no element: methods of an array go by its elements themselves. */
  protected other(array: AnyArray, key: string | symbol): unknown {
    return Reflect.get(array, key);
  }
}

/** Go by the elements of whatever they are called on. Those of a typed array take nothing but one. */
const ITERATORS: ReadonlySet<PropertyKey> = new Set([Symbol.iterator, 'keys', 'values', 'entries']);

/** Of a typed array. */
class ViewHandler extends ArrayHandler {
  override set(array: AnyArray, key: string | symbol, value: unknown): boolean {
    if (typeof key !== 'symbol') this.node.tracing.writePart(this.node);
    return super.set(array, key, value);
  }

  protected override other(array: AnyArray, key: string | symbol): unknown {
    if (ITERATORS.has(key)) return Reflect.get(Array.prototype, key);
    const value = Reflect.get(array, key) as unknown;
    // Whoever takes the memory may look at all of it.
    if (key === 'buffer') this.node.tracing.readWhole(this.node, array);
    if (typeof value !== 'function' || key === 'constructor') return value;
    if (key === 'subarray')
      throw new Untraceable("what is stored in a subarray of a typed array can't be followed: go by its elements, or slice it");
    return (...args: unknown[]) => this.call(array, value as (...args: unknown[]) => unknown, args);
  }

  /** A method of a typed array looks at all of it, and stores what then differs. */
  private call(array: AnyArray, method: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    const { tracing } = this.node;
    tracing.readWhole(this.node, array);
    const before = array.slice();
    const result = method.apply(array, args);
    for (let i = 0; i < array.length; i++) {
      if (Object.is(array[i], before[i])) continue;
      tracing.writePart(this.node);
      tracing.write(this.node, i + 1);
    }
    return result === array ? proxyOf(array) : result;
  }
}
