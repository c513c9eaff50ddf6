import { fileURLToPath } from 'node:url';

/** The recording that comes with this package: programs of every flavour, answered by Linux 6.18. */
export const SHIPPED_RECORDING = fileURLToPath(new URL('../recordings/linux-6.18.jsonl.gz', import.meta.url));
