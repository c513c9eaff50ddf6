import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

/** Makes this process the only user of `file` on this machine, by a file beside it. Returns what ends that, or the number of the process that uses it. */
export function soleUser(file: string): (() => void) | number {
  const lock = `${file}.lock`;
  const mine = `${lock}.${process.pid}.${threadId}`;
  try {
    // It is there with its number in it, or not at all: an empty one would be taken for that of somebody who was killed.
    writeFileSync(mine, String(process.pid));
    for (;;) {
      try {
        place(mine, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const user = userOf(lock);
      if (user === 'nobody') dropLock(lock, `${mine}.old`);
      else if (user !== 'left') return user;
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Makes `to` at once all that `from` is, where the file system knows links. @throws EEXIST */
function place(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** Takes the lock of somebody who was killed away. One of several who do so gets it; what it gets may be the new lock of another. */
function dropLock(lock: string, aside: string): void {
  try {
    renameSync(lock, aside);
    if (userOf(aside) !== 'nobody') place(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The living process that made a lock file; `nobody`: it was killed; `left`: the file is gone. */
function userOf(lock: string): number | 'nobody' | 'left' {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (!Number.isSafeInteger(pid) || pid <= 0) return 'nobody';
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another user's process lives, too.
    return code === 'EPERM' ? 0 : code === 'ENOENT' ? 'left' : 'nobody';
  }
}
