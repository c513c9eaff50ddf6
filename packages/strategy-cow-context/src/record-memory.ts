import type { Op, RmapServices, SlabCache } from '@rmap-lab/core';
import type { Context } from './context.js';
import type { Room } from './records.js';

/** A maple-tree node of 256 bytes. */
export class Node {}
/** Two slots of an array of deltas: with its length and its size it takes 32 bytes, and twice as much as often as it doubles. */
export class Chunk {}
/** A leaf has 16 slots; a range takes one, and the gap before it another. A node above others has 10. */
const RANGES_PER_LEAF = 8;
const NODES_PER_NODE = 10;

/** Nodes of a maple tree of so many ranges that has no room to spare. */
function nodesFor(ranges: number): number {
  let level = Math.ceil(ranges / RANGES_PER_LEAF);
  let nodes = level;
  while (level > 1) {
    level = Math.ceil(level / NODES_PER_NODE);
    nodes += level;
  }
  return nodes;
}

/** An index range that is about to be recorded. */
export interface Claim {
  readonly first: number;
  readonly end: number;
  readonly delta: number;
}

/** Memory of the records, so that they cost what they cost and can fail. */
export class RecordMemory {
  private readonly nodes: SlabCache<Node>;
  private readonly chunks: SlabCache<Chunk>;

  constructor(services: RmapServices) {
    this.nodes = services.slab('cow_remap_node', { bytes: 256, create: () => new Node() });
    this.chunks = services.slab('cow_remap_deltas', { bytes: 32, create: () => new Chunk() });
  }

  /**
   * Takes the lock of `context` for writing, with memory for all of `claims`: got before, as reclaim may want to walk here, and
   * got again if others used it up. @throws NoMemory, not locked
   */
  *lockWithRoom(context: Context, claims: readonly Claim[]): Op<void> {
    for (;;) {
      yield* this.reserve(context, claims);
      yield* context.lock.write();
      if (this.missing(context, claims).nodes <= 0 && this.missing(context, claims).chunks <= 0) return;
      context.lock.writeUnlock();
    }
  }

  /** Gives back what the records do not fill. */
  settle(context: Context): void {
    const { ranges, chunks } = context.records.room;
    while (context.nodes.length > nodesFor(ranges)) this.nodes.freeRcu(context.nodes.pop() as Node);
    while (context.chunks.length > chunks) this.chunks.freeRcu(context.chunks.pop() as Chunk);
  }

  private *reserve(context: Context, claims: readonly Claim[]): Op<void> {
    try {
      while (this.missing(context, claims).nodes > 0) context.nodes.push(yield* this.nodes.alloc());
      while (this.missing(context, claims).chunks > 0) context.chunks.push(yield* this.chunks.alloc());
    } catch (error) {
      this.settle(context);
      throw error;
    }
  }

  private missing({ records, nodes, chunks }: Context, claims: readonly Claim[]): { nodes: number; chunks: number } {
    const used: Room = records.room;
    let ranges = used.ranges;
    let slots = used.chunks;
    for (const { first, end, delta } of claims) {
      const more = records.roomFor(first, end, delta);
      ranges += more.ranges;
      slots += more.chunks;
    }
    return { nodes: nodesFor(ranges) - nodes.length, chunks: slots - chunks.length };
  }
}
