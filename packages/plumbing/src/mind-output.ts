/**
 * Lets whoever reads what this program prints stop reading, as `head` does: the exit status is still worth having. What can't be
 * written for another reason ends the program with status 2, and a line that says so.
 */
export function mindOutput(program: string): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE') return;
      if (stream === process.stdout) process.stderr.write(`${program}: standard output: ${message}\n`);
      process.exit(2);
    });
}
