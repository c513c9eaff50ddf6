import type { Header, LayoutEntry, TraceRecord } from './format.js';

/** What a line holds: the header as an object, every other record as an array with its type first. */
export type Line = object;

const entry = ({ start, end, prot, shared, kind, file, offset }: LayoutEntry): Line => [
  start,
  end,
  prot,
  shared ? 's' : 'p',
  kind,
  file,
  offset,
];

const header = ({ format, version, pageSize, source, options }: Header): Line => ({
  format,
  version,
  pageSize,
  source,
  options,
});

/** The line that says `record`; JSON.stringify of it is what a trace holds. */
export function encodeRecord(record: TraceRecord): Line {
  switch (record.type) {
    case 'header':
      return header(record);
    case 'process':
      return ['process', record.process, record.parent, record.kind];
    case 'exec':
      return ['exec', record.process, record.brk, record.layout.map(entry)];
    case 'exit':
      return ['exit', record.process];
    case 'call':
      return ['call', record.process, record.call, ...record.args, record.result];
    case 'touch':
      return ['touch', record.process, record.first, record.count, record.stride, record.write ? 'w' : 'r'];
    case 'file':
      return ['file', record.file, record.name, record.size];
    case 'kernel':
      return ['kernel', record.action, record.process, record.first, record.pages];
    case 'mark':
      return ['mark', record.name];
    case 'end':
      return ['end', record.counts, record.checksum];
  }
}
