import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

/** Makes this process the only user of `file` on this machine, by a file beside it. Returns what ends that, or the number of the process that uses it. */
export function soleUser(file: string): (() => void) | number {
  const lock = `${file}.lock`;
  for (;;) {
    try {
      const descriptor = openSync(lock, 'wx');
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const user = userOf(lock);
      if (user !== null) return user;
      // Whoever made it was killed.
      rmSync(lock, { force: true });
    }
  }
}

/** The living process that made a lock file, or null. */
function userOf(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (!Number.isSafeInteger(pid) || pid <= 0) return null;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // Another user's process lives, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 0 : null;
  }
}
