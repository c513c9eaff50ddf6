import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { lstat, mkdir, rename } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('../native', import.meta.url));

/** The kernel can't be observed here: what is missing, and how to get it. */
export class CannotObserve extends Error {
  override readonly name = 'CannotObserve';
}

/** What was compiled: the driver, the worker that it starts, and the BPF programs that it loads. */
export interface Programs {
  readonly driver: string;
  readonly worker: string;
  readonly bpf: string;
}

/** What keeps the kernel from being observed here, in words; null: nothing that can be seen beforehand. */
export function obstacle(): string | null {
  if (process.platform !== 'linux' || arch() !== 'x64')
    return `it takes Linux on x86-64, this is ${process.platform} on ${arch()}`;
  if (process.getuid?.() !== 0) return 'it takes root: page frames and BPF programs are for root alone';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'it takes a kernel with type information (CONFIG_DEBUG_INFO_BTF)';
  return null;
}

/** Compiles driver, worker and BPF programs at first use; they are kept in the user's cache folder. @throws CannotObserve */
export async function compile(): Promise<Programs> {
  const folder = await cacheFolder(join('kernel-oracle', sourceHash()));
  const programs = { driver: join(folder, 'driver'), worker: join(folder, 'worker'), bpf: join(folder, 'rmap.bpf.o') };
  const c = (name: string): string => join(SOURCES, name);
  const include = existsSync('/usr/include/x86_64-linux-gnu') ? ['-I/usr/include/x86_64-linux-gnu'] : [];
  const bare = ['-nostdlib', '-static', '-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie', '-fcf-protection=none'];
  const linker = ['-mno-red-zone', '-Wl,-z,noexecstack', '-Wl,--build-id=none'];
  const parts = ['driver.c', 'tree.c', 'look.c', 'daemons.c'].map(c);
  await build(programs.bpf, 'clang', ['-O2', '-g', '-target', 'bpf', '-D__TARGET_ARCH_x86', ...include, '-c', c('rmap.bpf.c')]);
  await build(programs.worker, 'gcc', ['-O2', ...bare, ...linker, c('worker.c')]);
  await build(programs.driver, 'gcc', ['-O2', ...parts, '-lbpf']);
  return programs;
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
    throw new CannotObserve(`${reason}. It takes gcc, clang and libbpf (Debian: apt-get install gcc clang libbpf-dev)`);
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
