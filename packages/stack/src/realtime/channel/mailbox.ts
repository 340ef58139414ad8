type Task = () => void | Promise<void>;

/** More waiting tasks than this and the sender is flooding: the rest is dropped. */
const CAPACITY = 1_000;

/**
 * Runs a channel's tasks one after the other. A task that needs no waiting runs at once and costs
 * nothing; one that asks the database makes the next ones wait, so their order is kept.
 */
export class Mailbox {
  #waiting: Task[] | null = null;
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Runs the task when its turn comes; false if there are too many before it. */
  post(task: Task): boolean {
    if (this.#waiting !== null) {
      if (this.#waiting.length >= CAPACITY) return false;
      this.#waiting.push(task);
      return true;
    }
    const running = this.#run(task);
    if (running !== undefined) void this.#drain(running);
    return true;
  }

  #run(task: Task): Promise<void> | undefined {
    try {
      return task()?.catch(this.#onFailure);
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  async #drain(running: Promise<void>): Promise<void> {
    const waiting: Task[] = (this.#waiting = []);
    await running;
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      await this.#run(task);
    }
    this.#waiting = null;
  }
}
