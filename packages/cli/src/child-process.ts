import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How long a process may take to end after it was asked to, before it is ended. */
const stopGraceMs = 5000;

const exitWithParent = fileURLToPath(new URL('exit-with-parent.ts', import.meta.url));

/** What a started process needs. */
export type ServerProcessOptions = {
  /** For messages: `student portal`. */
  name: string;
  /** A script for Node and its arguments. */
  script: string[];
  cwd: string;
  env: Record<string, string>;
  /** Each line that it prints. */
  onLine?(line: string): void;
};

/** A Node process of ours that runs until it is stopped, and never longer than this one. */
export class ServerProcess {
  readonly name: string;
  #child: ChildProcess;
  #lastLines: string[] = [];
  #stopping = false;

  constructor({ name, script, cwd, env, onLine }: ServerProcessOptions) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--import', exitWithParent, ...script], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C reaches us alone, and we stop things in order.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastLines = [...this.#lastLines.slice(-29), line];
        onLine?.(line);
      });
    }
  }

  /** Resolves with a sentence when the process ends without having been asked to. */
  async failure(): Promise<string> {
    const [code, signal] = await this.#exit();
    if (this.#stopping) return new Promise(() => undefined);
    const said = this.#lastLines.join('\n');
    return `The ${this.name} stopped by itself (${signal ?? `exit code ${code}`}). It said last:\n${said}`;
  }

  /**
   * Waits until an address answers.
   * @throws Error when the process ends first; it carries what the process said last.
   */
  async answering(url: string): Promise<void> {
    const failure = this.failure().then((message) => {
      throw new Error(message);
    });
    // It is awaited below or not at all; when not, its rejection is somebody else's news.
    failure.catch(() => undefined);
    while (!(await Promise.race([answers(url), failure]))) {
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), failure]);
    }
  }

  /** Asks the process to end, and after a grace ends it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = this.#exit();
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs);
    await ended;
    clearTimeout(timer);
  }

  async #exit(): Promise<[number | null, NodeJS.Signals | null]> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return [exitCode, signalCode];
    const [code, signal] = (await once(this.#child, 'exit')) as [
      number | null,
      NodeJS.Signals | null,
    ];
    return [code, signal];
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    return response.ok;
  } catch (error) {
    // `fetch` says "nobody listens yet" by a TypeError; anything else is a fault of ours.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
