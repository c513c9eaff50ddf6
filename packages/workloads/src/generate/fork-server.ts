import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link forkServer} may be told. */
export interface ForkServerOptions {
  /** Children forked in all, one for each request. Default 400. */
  readonly requests?: number;
  /** Children alive at once. Default 8. */
  readonly atOnce?: number;
  /** Separate VMAs of the server. Default 24. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 16. */
  readonly pages?: number;
}

/**
 * A server that forks for every request, with churn: the oldest child ends when the next one starts, and the server itself writes a
 * page between two requests. Marks: `busy` before the last children end, `idle`.
 */
export function* forkServer({
  requests = 400,
  atOnce = 8,
  vmas = 24,
  pages = 16,
}: ForkServerOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('fork-server', { requests, atOnce, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= requests; child++) {
    yield fork(child, 0);
    const n = child % vmas;
    yield touch(child, 'read', regionAt(n, pages), pages);
    yield touch(child, 'write', regionAt(n, pages), pages, 4);
    yield map(child, regionAt(vmas, pages), pages);
    yield touch(child, 'write', regionAt(vmas, pages), pages);
    yield touch(0, 'write', regionAt(n, pages) + (child % pages), 1);
    if (child > atOnce) yield exit(child - atOnce);
  }
  yield mark('busy');
  for (let child = Math.max(1, requests - atOnce + 1); child <= requests; child++) yield exit(child);
  yield mark('idle');
  yield exit(0);
}
