import { preset } from '@rmap-lab/config/vitest';
import { mergeConfig } from 'vitest/config';

// The template has a test for others to run.
export default mergeConfig(preset('create-rmap-strategy'), { test: { include: ['test/**/*.test.ts'] } });
