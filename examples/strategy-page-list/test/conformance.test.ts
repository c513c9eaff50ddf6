import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { pageList } from '../src/index.js';

conformance(pageList());
