import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { lstat, mkdir, rename } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InputError } from '@rmap-lab/core';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('../native', import.meta.url));

/** The kernel can't be observed here: what is missing, and how to get it. */
export class CannotObserve extends InputError {
  override readonly name = 'CannotObserve';
}

/** What was compiled: the driver, the worker that it starts, and the BPF programs that it loads; null where it does without. */
export interface Programs {
  readonly driver: string;
  readonly worker: string;
  readonly bpf: string | null;
}

/** What keeps anything of the kernel from being observed here, in words; null: nothing that can be seen beforehand. */
export const foreign = (): string | null =>
  process.platform === 'linux' && arch() === 'x64' ? null : `it takes Linux on x86-64, this is ${process.platform} on ${arch()}`;

/** What keeps everything from being observed here; null: nothing that can be seen beforehand. */
export function obstacle(): string | null {
  if (foreign() !== null) return foreign();
  if (process.getuid?.() !== 0) return 'it takes root: page frames and BPF programs are for root alone';
  if (!writable('/sys/kernel/mm')) return 'it takes settings of the system that can be changed, and /sys is read-only';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'it takes a kernel with type information (CONFIG_DEBUG_INFO_BTF)';
  return null;
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const BARE = ['-nostdlib', '-static', '-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie', '-fcf-protection=none'];
const LINKER = ['-mno-red-zone', '-Wl,-z,noexecstack', '-Wl,--build-id=none'];
const PARTS = ['driver.c', 'tree.c', 'records.c', 'daemons.c'];

/** Compiles what it takes to see everything, or what anybody sees, at first use; it is kept in the user's cache folder. @throws CannotObserve */
export async function compile(see: 'everything' | 'layout'): Promise<Programs> {
  const folder = await cacheFolder(join('kernel-oracle', sourceHash()));
  const c = (name: string): string => join(SOURCES, name);
  const include = existsSync('/usr/include/x86_64-linux-gnu') ? ['-I/usr/include/x86_64-linux-gnu'] : [];
  const worker = join(folder, 'worker');
  const driver = join(folder, `driver-${see}`);
  const bpf = see === 'everything' ? join(folder, 'rmap.bpf.o') : null;
  if (bpf !== null)
    await build(bpf, 'clang', ['-O2', '-g', '-target', 'bpf', '-D__TARGET_ARCH_x86', ...include, '-c', c('rmap.bpf.c')]);
  await build(worker, 'gcc', ['-O2', ...BARE, ...LINKER, c('worker.c')]);
  const look = see === 'everything' ? [c('look.c'), '-lbpf'] : [c('look_proc.c')];
  await build(driver, 'gcc', ['-O2', ...PARTS.map(c), ...look]);
  return { driver, worker, bpf };
}

/** One program under a name of its own first: others may compile the same at the same time. */
export async function build(output: string, compiler: string, args: readonly string[]): Promise<void> {
  if (existsSync(output)) return;
  const fresh = `${output}.${process.pid}`;
  try {
    await run(compiler, [...args, '-o', fresh]);
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    const reason = code === 'ENOENT' ? `there is no ${compiler}` : (stderr ?? String(error)).split('\n').slice(0, 3).join('; ');
    throw new CannotObserve(
      `${reason}. It takes gcc, and to see everything clang and libbpf (Debian: apt-get install gcc clang libbpf-dev)`,
    );
  }
  await rename(fresh, output);
}

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(SOURCES).sort()) hash.update(readFileSync(join(SOURCES, name)));
  return hash.digest('hex').slice(0, 16);
}

/** What is kept there runs as root, so nobody else may have put it there. @throws CannotObserve */
export async function cacheFolder(name: string): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(tmpdir(), `rmap-lab-${process.getuid?.() ?? 0}`);
  const folder = join(cache, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let at = folder; at.length >= cache.length; at = dirname(at)) {
    const { uid, mode } = await lstat(at);
    if (uid !== process.getuid?.() || (mode & 0o170022) !== 0o040000)
      throw new CannotObserve(`${at} must be a folder that only you can write to; remove it, or set XDG_CACHE_HOME`);
  }
  return folder;
}
