import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const children = new Set<ChildProcess>();

/** Ends a child with this process, whatever ends that but SIGKILL, until what it returns is called: a child that is busy notices nothing itself. */
export function endWithUs(child: ChildProcess): () => void {
  if (children.size === 0) {
    process.on('exit', endAll);
    // Before those who listen once: they are no longer counted when they are called.
    for (const signal of SIGNALS) process.prependListener(signal, leave);
  }
  children.add(child);
  return () => {
    children.delete(child);
    if (children.size > 0) return;
    process.off('exit', endAll);
    for (const signal of SIGNALS) process.off(signal, leave);
  };
}

/** As without us. Who else listens decides when this process ends. */
function leave(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
}

function endAll(): void {
  for (const child of children) child.kill('SIGKILL');
}
