import { CannotObserve, compile, foreign, obstacle } from './compile.js';
import { Driver } from './driver.js';
import type { System } from './settings.js';
import { everything, layout, type Tier } from './tiers.js';

/** What can be done anywhere. */
const INSTEAD = "'rmap-lab oracle --recorded' compares with what Linux 6.18 answered";

/** How to start. */
export interface OracleOptions {
  /**
   * `everything` takes root, BPF, type information, gcc, clang and libbpf; `layout`, which is what /proc shows to anybody, takes gcc.
   * Without it: everything where that can be had, else layout.
   */
  readonly see?: 'everything' | 'layout';
  /** Called once when another oracle has the machine, and this one waits for its turn. */
  readonly onWait?: () => void;
}

/** Why the kernel can't be observed; any other error is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof CannotObserve) return error.message;
  throw error;
}

/** The running kernel, ready to be asked: a tree of real processes, and the settings of the system that programs depend on. */
export class Oracle {
  private constructor(
    /** Does what it is told and says what it sees. */
    readonly driver: Driver,
    /** What can be seen and run here. */
    readonly tier: Tier,
  ) {}

  /** Settings, for as long as some programs need them. */
  get system(): System {
    return this.tier.system;
  }

  /** Compiles what is needed at first use, and starts. @throws CannotObserve */
  static async start({ see, onWait = () => {} }: OracleOptions = {}): Promise<Oracle> {
    try {
      if (see === 'layout') return await Oracle.ofLayout('nothing else was asked for');
      const most = await Oracle.ofEverything(onWait).catch(reasonOf);
      if (most instanceof Oracle) return most;
      if (see === 'everything') throw new CannotObserve(most);
      return await Oracle.ofLayout(most);
    } catch (error) {
      throw new CannotObserve(`the kernel can't be observed: ${reasonOf(error)}; ${INSTEAD}`);
    }
  }

  private static async ofEverything(onWait: () => void): Promise<Oracle> {
    const reason = obstacle();
    if (reason !== null) throw new CannotObserve(reason);
    const driver = await Driver.start(await compile('everything'));
    return new Oracle(driver, everything(driver, onWait));
  }

  private static async ofLayout(reason: string): Promise<Oracle> {
    const other = foreign();
    if (other !== null) throw new CannotObserve(other);
    const driver = await Driver.start(await compile('layout'));
    return new Oracle(driver, await layout(driver, reason));
  }

  /** Ends all processes. */
  stop(): Promise<void> {
    return this.driver.stop();
  }
}
