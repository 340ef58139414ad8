/** How far the log has been read, so that after an interruption nothing is missed or told twice. Pure. */

/** A log sequence number: a position in the write-ahead log. */
export type Lsn = bigint;

export class Progress {
  /** End of the last transaction that came whole: where to go on. */
  #position: Lsn = 0n;
  /** The transaction that is coming in, named by where its commit stands, and its changes so far. */
  #open: { commit: Lsn; changes: number } | null = null;
  /** Changes at the beginning of the open transaction that came before an interruption. */
  #known = 0;

  /** Up to here nothing is needed again. */
  get position(): Lsn {
    return this.#position;
  }

  /** A transaction begins; one that was cut off comes again from its start. */
  begin(commit: Lsn): void {
    const isAgain = this.#open?.commit === commit;
    this.#known = isAgain ? Math.max(this.#known, this.#open?.changes ?? 0) : 0;
    this.#open = { commit, changes: 0 };
  }

  /** Counts a change; false if it came before. */
  isNew(): boolean {
    if (this.#open === null) return true;
    this.#open.changes += 1;
    return this.#open.changes > this.#known;
  }

  /** The transaction has come whole; `end` is where the log goes on after it. */
  commit(end: Lsn): void {
    this.#open = null;
    this.#known = 0;
    this.passed(end);
  }

  /** Postgres has read on without anything for us. Within a transaction that says nothing. */
  passed(position: Lsn): void {
    if (this.#open === null && position > this.#position) this.#position = position;
  }

  /** Forgets everything: another stretch of the log begins. */
  reset(): void {
    this.#position = 0n;
    this.#open = null;
    this.#known = 0;
  }
}

/** As Postgres writes it: `16/B374D848`. */
export function lsnText(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
