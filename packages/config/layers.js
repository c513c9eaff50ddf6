/**
 * Who may know whom (section "Dependency rule" of the architecture), for dependency-cruiser. A room may import the rooms
 * of every layer below its own, never its own layer. Strategies stand apart: they know core alone, and are known to few.
 */
const layers = [
  ['core', 'plumbing'],
  ['explorer', 'workloads'],
  ['conformance-suite', 'experiments'],
  ['claims', 'report', 'kernel-oracle'],
];

const room = '^((?:packages|apps)/[^/]+)/';
const sources = (name) => `^packages/${name}/src/`;
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const belowOnly = layers.flatMap((layer, height) =>
  layer.map((name) => {
    const lower = layers.slice(0, height).flat();
    return rule(
      'lower-layers-only',
      `${name} may import ${lower.join(', ') || 'no other package'}`,
      { path: sources(name) },
      { path: room, pathNot: [`^packages/(${[name, ...lower].join('|')})/`, '^packages/strategy-'] },
    );
  }),
);

export default {
  forbidden: [
    ...belowOnly,
    rule('apps-on-top', 'nothing imports an app', { path: room }, { path: '^apps/', pathNot: '^$1/' }),
    rule(
      'strategies-unknown',
      'only claims, mutants and apps name strategies; the others receive one as a value or a module name',
      { path: `${room}src/`, pathNot: '^(packages/(claims|mutants|strategy-[^/]+)|apps/[^/]+)/' },
      { path: '^packages/strategy-' },
    ),
    rule(
      'strategies-apart',
      'a strategy knows core alone; only anon-vma-lazy builds on anon-vma',
      { path: '^(packages/strategy-[^/]+)/src/', pathNot: sources('strategy-anon-vma-lazy') },
      { path: room, pathNot: ['^packages/core/', '^$1/'] },
    ),
    rule(
      'strategies-apart',
      'anon-vma-lazy knows core and anon-vma',
      { path: sources('strategy-anon-vma-lazy') },
      { path: room, pathNot: '^packages/(core|strategy-anon-vma|strategy-anon-vma-lazy)/' },
    ),
    rule(
      'by-package-name',
      'another package is imported by its name, so that only its exports are reached',
      { path: room },
      { path: room, pathNot: '^$1/', dependencyTypes: ['local'] },
    ),
    rule('internal', 'src/internal belongs to one package', { path: room }, { path: '/src/internal/', pathNot: '^$1/' }),
    rule(
      'internal',
      'src/internal is neither exported nor tested directly',
      { path: [`${room}(?!src/)`, `${room}src/index\\.ts$`] },
      { path: '/src/internal/' },
    ),
    rule(
      'no-cycles',
      'files form no cycle at run time; two types may name each other',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule('resolvable', 'every import leads somewhere', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // What create-rmap-strategy copies is no program yet.
    exclude: { path: ['/dist/', '/template/'] },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@rmap-lab/source', 'types', 'node', 'import', 'default'],
    },
  },
};
