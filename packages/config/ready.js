/**
 * Makes a clone ready to run one of its apps: installs and builds, but only if something changed since the last time.
 * Silent unless that fails, because standard output belongs to the program that follows.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stamp = join(root, '.turbo/ready');

/** Everything a build reads. Folders count too: their time tells of removed files. */
function* inputs() {
  yield* ['package.json', 'pnpm-lock.yaml', 'turbo.json'].map((name) => join(root, name));
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      const room = join(root, group, name);
      yield* readdirSync(room, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? join(room, entry.name) : []));
      if (!existsSync(join(room, 'src'))) continue;
      yield* readdirSync(join(room, 'src'), { recursive: true }).map((path) => join(room, 'src', path));
    }
  }
}

function isReady() {
  const built = ['cli', 'bench'].every((app) => existsSync(join(root, 'apps', app, 'dist/main.js')));
  if (!built || !existsSync(stamp)) return false;
  const since = statSync(stamp).mtimeMs;
  for (const path of inputs()) if (statSync(path).mtimeMs > since) return false;
  return true;
}

function quietly(script) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' };
  const { status, stdout, stderr } = spawnSync(`npm run -s ${script}`, { cwd: root, env, shell: true, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}\n'npm run ${script}' failed; rmap-lab needs it before it can run.\n`);
  process.exit(1);
}

if (!isReady()) {
  const start = new Date();
  quietly('setup');
  quietly('build');
  mkdirSync(join(root, '.turbo'), { recursive: true });
  writeFileSync(stamp, '');
  utimesSync(stamp, start, start);
}
