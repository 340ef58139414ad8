import type { WriteStream } from 'node:tty';

/** Tells a person at a terminal, or a log, how far a longer piece of work is. */
export type Progress = {
  /** The next step begins; the one before is done. */
  step(title: string): void;
  /** Something within the step that replaces what was said before. */
  detail(message: string): void;
  /** A line to keep, whatever the step. */
  line(text: string): void;
  done(): void;
  fail(): void;
};

/** Progress on a stream: in place on a terminal, a line per step elsewhere. */
export function createProgress(
  stream: Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number },
  now: () => number = Date.now,
): Progress {
  let current: { title: string; startedAt: number } | null = null;
  const inPlace = stream.isTTY === true;

  const show = (text: string) => {
    if (inPlace) stream.write(`\r\u001B[2K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const end = (mark: string) => {
    if (current === null) return;
    const seconds = ((now() - current.startedAt) / 1000).toFixed(1);
    if (inPlace) stream.write('\r\u001B[2K');
    stream.write(`${mark} ${current.title} (${seconds} s)\n`);
    current = null;
  };

  return {
    step(title) {
      end('✓');
      current = { title, startedAt: now() };
      show(`… ${title}`);
    },
    detail(message) {
      if (current !== null) show(`… ${current.title}: ${message}`);
    },
    line(text) {
      if (inPlace) stream.write('\r\u001B[2K');
      stream.write(`${text}\n`);
    },
    done: () => end('✓'),
    fail: () => end('✗'),
  };
}
