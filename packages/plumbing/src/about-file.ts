/** Does something with `file`. What the file system says of it names that file, as the user did, and not one beside it or none. */
export function aboutFile<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    // "ENOENT: no such file or directory, open '…'": what comes behind the comma is how we went about it.
    if (error instanceof Error && 'syscall' in error) error.message = `'${file}': ${error.message.split(', ')[0]}`;
    throw error;
  }
}
