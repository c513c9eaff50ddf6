import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({
  ...preset,
  entry: {
    main: 'src/main.ts',
    kernel: 'src/kernel.ts',
    explorer: 'src/explorer.ts',
    exhaust: 'src/exhaust.ts',
    'exhaust-one': 'src/explorer/exhaust-one.ts',
  },
});
