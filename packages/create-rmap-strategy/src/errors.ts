/** A package can't be made as asked: what is wrong, and what to do. */
export class CannotCreate extends Error {
  override readonly name = 'CannotCreate';
}
