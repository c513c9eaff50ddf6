/** The files of a whole recording, by path; and those that no record has introduced yet. */
export interface Files {
  readonly byPath: Map<string, number>;
  readonly introduced: [file: number, name: string][];
}

/**
 * What each descriptor of a process names. The events do not say which file was opened, so every opening counts as a file of its
 * own: two mappings of one descriptor are the same file, as far as merging is concerned.
 */
export class FileTable {
  private readonly descriptors = new Map<number, number>();
  constructor(private readonly files: Files) {}

  /** A child's table. */
  copy(): FileTable {
    const child = new FileTable(this.files);
    for (const [fd, file] of this.descriptors) child.descriptors.set(fd, file);
    return child;
  }

  /** Takes in a system call if it is about descriptors; whether it was. */
  called(name: string, args: readonly number[], result: number): boolean {
    switch (name) {
      case 'open':
      case 'openat':
      case 'openat2':
      case 'memfd_create':
        if (result >= 0) this.descriptors.delete(result);
        return true;
      case 'close':
        if (result === 0) this.descriptors.delete(args[0]);
        return true;
      case 'dup':
      case 'dup2':
      case 'dup3':
        if (result >= 0) this.descriptors.set(result, this.ofDescriptor(args[0]));
        return true;
      default:
        return false;
    }
  }

  /** The file that a descriptor names. */
  ofDescriptor(fd: number): number {
    const known = this.descriptors.get(fd);
    if (known !== undefined) return known;
    const file = this.introduce('opened');
    this.descriptors.set(fd, file);
    return file;
  }

  /** The file at a path, as a layout names it. */
  ofPath(path: string): number {
    const known = this.files.byPath.get(path);
    return known ?? this.introduce(path.slice(path.lastIndexOf('/') + 1), path);
  }

  private introduce(name: string, path = `${name} ${this.files.byPath.size}`): number {
    const file = this.files.byPath.size + 1;
    this.files.byPath.set(path, file);
    this.files.introduced.push([file, name]);
    return file;
  }
}
