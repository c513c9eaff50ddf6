import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Driver } from './driver.js';

/** More than any program fills. */
const PAGES = 65536;
const PAGE = 4096;

const swaps = (): string => readFileSync('/proc/swaps', 'utf8');

/** A zram device that nobody uses: swap that answers at once. Null: there is none. */
export function swapDevice(): string | null {
  const free = (name: string): boolean => readFileSync(`/sys/block/${name}/disksize`, 'utf8').trim() === '0';
  if (!existsSync('/sys/block')) return null;
  const name = readdirSync('/sys/block').find((each) => each.startsWith('zram') && existsSync(`/dev/${each}`) && free(each));
  return name === undefined ? null : `/dev/${name}`;
}

/** The zram device that is swap now. */
export const swapInUse = (): string | null => /^\/dev\/zram\d+/m.exec(swaps())?.[0] ?? null;

/** Makes `device` swap. */
export async function swapOn(driver: Driver, device: string): Promise<void> {
  writeFileSync(device.replace('/dev', '/sys/block').concat('/disksize'), String(PAGES * PAGE));
  writeFileSync(device, header());
  const [answer] = await driver.ask([`+ ${device}`]);
  if (answer !== '0') throw new Error(`swapon ${device}: errno ${answer}`);
}

/** Gives `device` back as it was found. */
export async function swapOff(driver: Driver, device: string): Promise<void> {
  if (swapInUse() === device) await driver.ask([`- ${device}`]);
  writeFileSync(device.replace('/dev', '/sys/block').concat('/reset'), '1');
}

/** The first page of a swap area (union swap_header): version, last page, magic. */
function header(): Buffer {
  const page = Buffer.alloc(PAGE);
  page.writeUInt32LE(1, 1024);
  page.writeUInt32LE(PAGES - 1, 1028);
  page.write('SWAPSPACE2', PAGE - 10, 'latin1');
  return page;
}
