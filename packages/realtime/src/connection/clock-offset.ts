/** A sample older than this, ms, gives way to a worse one: device clocks drift. */
const SAMPLE_AGE_MAX_MS = 600_000;

/**
 * How far the device's clock is from the server's. A sample is the server's clock in an answer: it
 * was read somewhere between question and answer, so its error is at most half the round trip, and
 * the sample with the shortest round trip is kept. An event can't arrive before it was committed,
 * which corrects what is left. Without any sample the device's clock is believed.
 */
export class ClockOffset {
  #offsetMs = 0;
  #errorMs = Infinity;
  #sampledAt = -Infinity;

  /** Takes the server's clock `serverNow` from an answer; all in ms since 1970. */
  sample(askedAt: number, answeredAt: number, serverNow: number): void {
    const errorMs = (answeredAt - askedAt) / 2;
    const isOld = answeredAt - this.#sampledAt > SAMPLE_AGE_MAX_MS;
    if (errorMs > this.#errorMs && !isOld) return;
    this.#offsetMs = serverNow - (askedAt + answeredAt) / 2;
    this.#errorMs = errorMs;
    this.#sampledAt = answeredAt;
  }

  /** From `committedAt` (server's clock) to `appliedAt` (device's clock), never below zero. */
  latencyMs(committedAt: number, appliedAt: number): number {
    this.#offsetMs = Math.max(this.#offsetMs, committedAt - appliedAt);
    return appliedAt + this.#offsetMs - committedAt;
  }

  /** The server's clock when the device's shows `deviceNow`. */
  serverTime(deviceNow: number): number {
    return deviceNow + this.#offsetMs;
  }

  /** The device's clock was set, or the device slept. */
  forget(): void {
    this.#offsetMs = 0;
    this.#errorMs = Infinity;
    this.#sampledAt = -Infinity;
  }
}
