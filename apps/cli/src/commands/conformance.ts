import { conformanceCommand } from '@rmap-lab/conformance-suite/command';
import type { Command } from 'commander';
import { shortNames, standing } from '../load-strategy.js';
import { checkUsable } from '../probe.js';

/** The suite's own command, under our name and with our short names. */
export function addConformance(program: Command): void {
  program.addCommand(
    conformanceCommand({ name: 'conformance', under: 'rmap-lab', shortNames, from: standing() })
      .exitOverride()
      .hook('preAction', async ({ args: [strategy] }) => {
        if (strategy !== undefined) await checkUsable(strategy);
      }),
  );
}
