import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { RecordedProgram, RecordingHeader } from './format.js';
import { BadRecording } from './read.js';

/** Programs compressed together: far more text than gzip looks back. */
const TOGETHER = 50;

/** Writes a recording of at most so many programs; the file appears once it is finished, of as many as there are. */
export class RecordingWriter {
  private readonly lines: string[] = [];
  private programs = 0;

  private constructor(
    private readonly handle: FileHandle,
    private readonly file: string,
    private readonly planned: RecordingHeader,
  ) {}

  /** @throws BadRecording: no such file can be made */
  static async open(file: string, planned: RecordingHeader): Promise<RecordingWriter> {
    const there = await stat(file).catch(() => null);
    if (there !== null && !there.isFile()) throw new BadRecording(`${file} can't be written: it is there and is no file`);
    const handle = await open(partOf(file), 'w').catch((error: NodeJS.ErrnoException) => {
      throw new BadRecording(`${file} can't be written: ${error.message}`);
    });
    const writer = new RecordingWriter(handle, file, planned);
    await handle.write(writer.header());
    return writer;
  }

  async add(program: Record<keyof RecordedProgram, unknown>): Promise<void> {
    this.lines.push(`${JSON.stringify(program)}\n`);
    this.programs++;
    if (this.lines.length === TOGETHER) await this.flush();
  }

  /** Puts the file in its place, if anything was added; its header. */
  async finish(): Promise<RecordingHeader> {
    await this.flush();
    const header = this.header();
    await this.handle.write(header, 0, header.length, 0);
    if (this.programs > 0) await rename(partOf(this.file), this.file);
    return { ...this.planned, programs: this.programs };
  }

  /** Leaves nothing behind of what was not finished. */
  async close(): Promise<void> {
    await this.handle.close();
    await rm(partOf(this.file), { force: true });
  }

  /** As long with any number up to the planned one, and not compressed: it is written again when that number is known. */
  private header(): Buffer {
    const { length } = JSON.stringify(this.planned);
    const header: RecordingHeader = { ...this.planned, programs: this.programs };
    return gzipSync(`${JSON.stringify(header).padEnd(length)}\n`, { level: 0 });
  }

  private async flush(): Promise<void> {
    await this.handle.appendFile(await promisify(gzip)(this.lines.splice(0).join(''), { level: 9 }));
  }
}

const partOf = (file: string): string => `${file}.part`;
