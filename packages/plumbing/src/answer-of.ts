import type { ChildProcess, Serializable } from 'node:child_process';
import { endWithUs } from './end-with-us.js';
import { milliseconds } from './milliseconds.js';

/** What is said to a child process, and what its messages and its silence mean. */
export interface Talk<Message, Answer> {
  /** Said to it at first, if anything. */
  readonly task?: Serializable;
  /** What a message tells: the answer, or undefined when more is to come. What it throws is thrown to whoever waits. */
  hear(message: Message): Answer | undefined;
  /** The error when it ended without an answer; `how` is a signal's name, or `exit status 1`. */
  ended(how: string): Error;
  /** How long it may be silent, in seconds, and the error when it is so for longer. Without it, it may be silent for ever. */
  readonly patience?: { readonly seconds: number; lost(): Error };
}

/**
 * Waits for the answer of a child process with an IPC channel, and ends the process then, or with this one, whatever it is doing.
 * @throws what the talk says, or what node says when the process can't be started or its signal is aborted
 */
export async function answerOf<Message, Answer>(child: ChildProcess, talk: Talk<Message, Answer>): Promise<Answer> {
  const { task, patience } = talk;
  const leave = endWithUs(child);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const wait = (): void => {
        clearTimeout(timer);
        if (patience !== undefined) timer = setTimeout(() => reject(patience.lost()), milliseconds(patience.seconds));
      };
      wait();
      let over = false;
      child.on('message', (message: Message) => {
        // What came along with the answer is heard in the same turn.
        if (over) return;
        wait();
        try {
          const answer = talk.hear(message);
          over = answer !== undefined;
          if (answer !== undefined) resolve(answer);
        } catch (error) {
          over = true;
          reject(error);
        }
      });
      child.on('error', reject);
      // Only then has all come that it said before it ended.
      child.on('close', (status, signal) => reject(talk.ended(signal ?? `exit status ${status}`)));
      if (task !== undefined) child.send(task, (error) => error && reject(error));
    });
  } finally {
    // What else it said would set the timer again.
    child.removeAllListeners('message');
    clearTimeout(timer);
    child.kill('SIGKILL');
    leave();
  }
}
