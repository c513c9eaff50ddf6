import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, remap, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link realloc} may be told. */
export interface ReallocOptions {
  /** Buffers that grow in turns. Default 16. */
  readonly buffers?: number;
  /** How often each buffer grows; its size doubles every third time. Default 12. */
  readonly growths?: number;
}

/**
 * A program whose buffers grow by mremap and move as they do, each time to a new place, and are then written at the end. One growth
 * is followed by a fork, whose child writes and ends. Marks: `growing`, before the fork, and `grown`.
 */
export function* realloc({ buffers = 16, growths = 12 }: ReallocOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('realloc', { buffers, growths });
  yield spawn(0);
  const room = 2 ** (Math.ceil(growths / 3) + 2) + 1;
  const place = (buffer: number, growth: number): number => regionAt(0, 0) + (buffer * (growths + 1) + growth) * room;
  const size = (growth: number): number => 2 ** Math.floor(growth / 3 + 2) + (growth % 3);
  for (let buffer = 0; buffer < buffers; buffer++) {
    yield map(0, place(buffer, 0), size(0));
    yield touch(0, 'write', place(buffer, 0), size(0));
  }
  for (let growth = 1; growth <= growths; growth++) {
    for (let buffer = 0; buffer < buffers; buffer++) {
      yield remap(0, place(buffer, growth - 1), size(growth - 1), place(buffer, growth), size(growth));
      yield touch(0, 'write', place(buffer, growth) + size(growth) - 1, 1);
    }
    if (growth !== Math.ceil(growths / 2)) continue;
    yield mark('growing');
    yield fork(1, 0);
    for (let buffer = 0; buffer < buffers; buffer++) yield touch(1, 'write', place(buffer, growth), size(growth), 2);
    yield exit(1);
  }
  yield mark('grown');
  yield exit(0);
}
