import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { KernelOptions, ThpMode } from '@rmap-lab/core';
import { CannotObserve } from './compile.js';
import type { Driver } from './driver.js';
import { satisfyKhugepaged } from './khugepaged.js';
import { swapDevice, swapOff, swapOn } from './zram.js';

/** What of the system a program depends on. */
export interface Settings {
  /** Large folios by order, where MADV_HUGEPAGE asks for them: 9 is PMD size. All others are switched off. */
  readonly orders: readonly number[];
  /** Swap, on a compressed memory device (zram). */
  readonly swap: boolean;
}

/** As Linux starts, without swap. */
export const DEFAULT_SETTINGS: Settings = { orders: [9], swap: false };

/** The same of the model. */
export const modelOptions = ({ orders, swap }: Settings): Partial<KernelOptions> => ({
  thp: { enabled: 'madvise', orders: Object.fromEntries(orders.map((order): [number, ThpMode] => [order, 'madvise'])) },
  ...(swap ? {} : { swap: 0 }),
});

const THP = '/sys/kernel/mm/transparent_hugepage';
const KSM = '/sys/kernel/mm/ksm';
/** Daemons do nothing unasked, and everything at once when asked; swap-in reads one page. */
const ALWAYS: Readonly<Record<string, string>> = {
  [`${THP}/enabled`]: 'madvise',
  [`${THP}/khugepaged/scan_sleep_millisecs`]: '1000000000',
  [`${THP}/khugepaged/pages_to_scan`]: '1',
  [`${THP}/khugepaged/max_ptes_none`]: '0',
  [`${THP}/khugepaged/max_ptes_shared`]: '0',
  [`${THP}/khugepaged/max_ptes_swap`]: '0',
  [`${KSM}/run`]: '0',
  [`${KSM}/sleep_millisecs`]: '0',
  [`${KSM}/advisor_mode`]: 'none',
  [`${KSM}/pages_to_scan`]: '100000',
  [`${KSM}/smart_scan`]: '0',
  [`${KSM}/max_page_sharing`]: '1000000',
  [`${KSM}/use_zero_pages`]: '0',
  '/proc/sys/vm/page-cluster': '0',
};

/** What settings were before; gone after a reboot, as the settings are. */
const BEFORE = '/run/rmap-lab-settings.json';

/** The settings of the system that programs depend on. */
export interface System {
  /** Runs `work` with these settings; what they were before comes back, whatever happens. */
  with<T>(settings: Settings, work: () => Promise<T>): Promise<T>;
}

/** Changes settings and puts them back. One at a time on this machine; what a crash left behind, the next one mends. */
export class ChangingSystem implements System {
  private waited = false;

  constructor(
    private readonly driver: Driver,
    /** Called once when somebody else has the machine. */
    private readonly onWait: () => void,
  ) {}

  async with<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
    await this.lock();
    try {
      await this.restore();
      const wanted = Object.entries({ ...ALWAYS, ...largeFolios(settings.orders) }).filter(([file]) => existsSync(file));
      const before = wanted
        .map(([file]): [string, string] => [file, current(file)])
        .filter(([, value], i) => value !== wanted[i][1]);
      const device = settings.swap ? swapDevice() : null;
      if (settings.swap && device === null) throw new CannotObserve('no device for compressed memory (zram) is free');
      writeFileSync(BEFORE, JSON.stringify({ files: before, swap: device }));
      for (const [file, value] of wanted) if (current(file) !== value) put(file, value);
      if (device !== null) await swapOn(this.driver, device);
      await satisfyKhugepaged(this.driver);
      return await work();
    } finally {
      await this.restore();
      await this.driver.ask(['U']);
    }
  }

  private async lock(): Promise<void> {
    if ((await this.driver.ask(['L']))[0] === '0') return;
    if (!this.waited) this.onWait();
    this.waited = true;
    const [answer] = await this.driver.ask(['W']);
    if (answer !== '0') throw new CannotObserve(`the kernel can't be had alone: flock of /sys/kernel/mm answers ${answer}`);
  }

  private async restore(): Promise<void> {
    if (!existsSync(BEFORE)) return;
    const { files, swap } = JSON.parse(readFileSync(BEFORE, 'utf8')) as { files: [string, string][]; swap: string | null };
    if (swap !== null) await swapOff(this.driver, swap);
    for (const [file, value] of files.reverse()) put(file, value);
    rmSync(BEFORE);
  }
}

/** How many places share a page of KSM can only be set while none is shared; then what others share keeps it as it is. */
function put(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
  }
}

/** Of a choice like `always [madvise] never` what is chosen. */
function current(file: string): string {
  const text = readFileSync(file, 'utf8').trim();
  return /\[([\w-]+)\]/.exec(text)?.[1] ?? text;
}

function largeFolios(orders: readonly number[]): Record<string, string> {
  const sizes = readdirSync(THP).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    sizes.map((size) => [
      `${THP}/hugepages-${size}kB/enabled`,
      orders.includes(Math.log2(Number(size) / 4)) ? 'madvise' : 'never',
    ]),
  );
}
