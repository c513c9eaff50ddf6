import { CannotObserve, compile, obstacle } from './compile.js';
import { Driver } from './driver.js';
import { COLUMNS } from './records.js';
import { System } from './settings.js';

/** What can be done anywhere. */
const INSTEAD = "'rmap-lab oracle --recorded' compares with what Linux 6.18 answered";

/** How to start. */
export interface OracleOptions {
  /** Called once when another oracle has the machine, and this one waits for its turn. */
  readonly onWait?: () => void;
}

/** The running kernel, ready to be asked: a tree of real processes, and the settings of the system that programs depend on. */
export class Oracle {
  private constructor(
    /** Does what it is told and says what it sees. */
    readonly driver: Driver,
    /** Settings, for as long as some programs need them. */
    readonly system: System,
  ) {}

  /** Compiles what is needed at first use, and starts; `onWait` is called once if another oracle has the machine. @throws CannotObserve */
  static async start({ onWait = () => {} }: OracleOptions = {}): Promise<Oracle> {
    const reason = obstacle();
    if (reason !== null) throw new CannotObserve(`the kernel can't be observed: ${reason}; ${INSTEAD}`);
    const driver = await Driver.start(await compile());
    return new Oracle(driver, new System(driver, onWait));
  }

  /** What of the kernel can be seen here, in words. */
  readonly seen = { columns: COLUMNS, missing: [] as readonly string[] };

  /** Ends all processes. */
  stop(): Promise<void> {
    return this.driver.stop();
  }
}
