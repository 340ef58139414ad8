import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What a worker can be asked to do. Inputs and results travel as plain data. */
export type Tasks = Record<string, (input: never) => unknown>;

/** A process of its own, so that its CPU time can be told from the others'. */
export type Worker<Offered extends Tasks> = {
  ask<Name extends keyof Offered & string>(
    task: Name,
    ...input: Parameters<Offered[Name]>
  ): Promise<Awaited<ReturnType<Offered[Name]>>>;
  /** CPU seconds, user and system, that it has used so far. */
  cpuSeconds(): Promise<number>;
  /** Bytes of memory that it holds. */
  residentBytes(): Promise<number>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

type Question = { number: number; task: string; input: unknown };
type Answer = { number: number; result?: unknown; error?: string };

/** Starts a module that calls {@link offer}. */
export function startWorker<Offered extends Tasks>(module: URL): Worker<Offered> {
  const child = fork(module, {
    // Memory is looked at without what merely waits for collection.
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  child.on('message', (answer: Answer) => waiting.get(answer.number)?.(answer));
  child.on('exit', (code) => {
    for (const [number, settle] of waiting) settle({ number, error: `exited with ${code}` });
  });
  const ask = (task: string, input?: unknown) =>
    new Promise((resolve, reject) => {
      const number = (last += 1);
      waiting.set(number, ({ result, error }) => {
        waiting.delete(number);
        if (error === undefined) resolve(result);
        else reject(new Error(`${module.pathname.split('/').at(-1)}, ${task}: ${error}`));
      });
      child.send({ number, task, input } satisfies Question);
    });
  return {
    ask: ask as Worker<Offered>['ask'],
    cpuSeconds: () => ask('cpuSeconds') as Promise<number>,
    residentBytes: () => ask('residentBytes') as Promise<number>,
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async stop() {
      if (!child.connected) return;
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

/** In the worker: answers questions until the parent lets go, then cleans up and ends. */
export function offer(tasks: Tasks, cleanUp: () => unknown = () => undefined): void {
  const all: Record<string, (input: never) => unknown> = {
    ...tasks,
    cpuSeconds() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    residentBytes() {
      globalThis.gc?.();
      return process.memoryUsage.rss();
    },
  };
  process.on('message', ({ number, task, input }: Question) => {
    Promise.resolve()
      .then(() => all[task]?.(input as never))
      .then(
        (result) => process.send?.({ number, result } satisfies Answer),
        (error: Error) =>
          process.send?.({ number, error: error.stack ?? String(error) } satisfies Answer),
      );
  });
  process.once('disconnect', () => void Promise.resolve(cleanUp()).finally(() => process.exit(0)));
  // Ctrl-C reaches all of us; the parent decides when it is over.
  process.on('SIGINT', () => undefined);
}
