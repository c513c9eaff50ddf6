/** Why a line is no record; whoever knows file and position makes a TraceError of it. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}
