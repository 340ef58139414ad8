import type { LiveCursor, OwnPlace, WorkshopView } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { LiveEvent } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import { toChangeError, type LiveError } from '../connection/errors.ts';
import { within } from '../connection/within.ts';
import { Composite } from '../live-query/composite.ts';
import {
  liveQuery,
  type LiveQuery,
  type LiveQueryState,
  type LiveStatus,
} from '../live-query/live-query.ts';
import { reloaded } from '../live-query/reloaded.ts';
import { outboxOf } from '../outbox/keep.ts';
import type { Outbox, Outgoing } from '../outbox/outbox.ts';
import { applyToWorkshop } from './apply.ts';

/** A code, and when the person saw it. */
type SeenCode = { code: string; seenAt: string };

/** A check-in on its way: `waiting` while the network is away, `refused` with the reason. */
export type QueuedCheckIn = Outgoing<SeenCode>;

/** What a workshop shows to those who take part. */
export type WorkshopState = {
  status: LiveStatus;
  workshop: WorkshopView | undefined;
  /** The check-in that this device has sent and that isn't confirmed, if there is one. */
  checkIn: QueuedCheckIn | undefined;
  loading: boolean;
  error: LiveError | undefined;
};

/** A workshop, live for those who are registered. */
export type WorkshopStore = Readable<WorkshopState> & {
  /** Registers, with a place or on the waiting list; gives why not. */
  register(): Promise<LiveError | undefined>;
  /** Gives the place back; gives why not. */
  unregister(): Promise<LiveError | undefined>;
  /**
   * Checks in with the code on the screen: now, or as soon as the network is back. `seenAt` is when
   * the code was seen, by the server's clock, if that was before now.
   */
  checkInByCode(code: string, seenAt?: string): void;
  /** Gives up on a check-in that was refused. */
  dismissCheckIn(): void;
  refresh(): Promise<void>;
};

/** A workshop, for those who take part. */
export function workshop(
  connection: Connection,
  workshopId: string,
  options: { initial?: { data: WorkshopView; cursor: LiveCursor } } = {},
): WorkshopStore {
  return new LiveWorkshop(connection, workshopId, options);
}

class LiveWorkshop extends Composite<WorkshopState> implements WorkshopStore {
  readonly #connection: Connection;
  readonly #workshopId: string;
  readonly #query: LiveQuery<WorkshopView>;
  readonly #ownQuery: Readable<LiveQueryState<OwnPlace>>;
  readonly #outbox: Outbox<SeenCode>;
  #latest: LiveQueryState<WorkshopView> | undefined;
  #own: OwnPlace | undefined;

  constructor(
    connection: Connection,
    workshopId: string,
    { initial }: { initial?: { data: WorkshopView; cursor: LiveCursor } },
  ) {
    super();
    this.#connection = connection;
    this.#workshopId = workshopId;
    this.#query = liveQuery({
      connection,
      topic: `workshop:${workshopId}`,
      load: () => this.#api.view.query({ workshopId }),
      apply: applyToWorkshop,
      initial,
    });
    this.#ownQuery = reloaded({
      connection,
      topic: `user:${connection.userId}`,
      load: () => this.#api.mine.query({ workshopId }),
      concerns: (event) => concernsWorkshop(event, workshopId),
    });
    this.#outbox = outboxOf(connection, `check-in.${workshopId}`, ({ payload }) =>
      connection.api.attendance.checkInByCode.mutate({ workshopId, ...payload }),
    );
  }

  async register(): Promise<LiveError | undefined> {
    return this.#attempt(this.#api.register.mutate({ workshopId: this.#workshopId }));
  }

  async unregister(): Promise<LiveError | undefined> {
    return this.#attempt(this.#api.unregister.mutate({ workshopId: this.#workshopId }));
  }

  checkInByCode(
    code: string,
    seenAt = new Date(this.#connection.internals.serverNow()).toISOString(),
  ): void {
    this.dismissCheckIn();
    this.#outbox.add(crypto.randomUUID(), { code, seenAt });
  }

  dismissCheckIn(): void {
    for (const { id } of this.#outbox.entries) this.#outbox.forget(id);
  }

  refresh(): Promise<void> {
    return this.#query.refresh();
  }

  protected override followSources(): (() => void)[] {
    return [
      this.#query.subscribe((state) => {
        this.#latest = state;
        this.changed();
      }),
      this.#ownQuery.subscribe(({ data }) => {
        const couldFollow = this.#own?.mine && this.#own.mine.status !== 'cancelled';
        this.#own = data;
        // Being registered gives the right to follow the workshop.
        if (data?.mine && !couldFollow) void this.refresh();
        this.#forgetConfirmed();
        this.changed();
      }),
      this.#outbox.onChange(() => {
        this.#forgetConfirmed();
        this.changed();
      }),
    ];
  }

  protected override look(): WorkshopState {
    const { data, status = 'connecting', error } = this.#latest ?? {};
    return {
      status,
      workshop: data && { ...data, ...this.#own },
      checkIn: this.#outbox.entries.at(-1),
      loading: data === undefined && status !== 'stopped',
      error,
    };
  }

  get #api() {
    return this.#connection.api.workshops;
  }

  async #attempt(call: Promise<unknown>): Promise<LiveError | undefined> {
    try {
      await within(this.#connection.internals.clock, call);
      return undefined;
    } catch (error) {
      return toChangeError(error);
    }
  }

  /** A check-in that is told needs no place of its own any more. */
  #forgetConfirmed(): void {
    if (this.#own?.mine?.status !== 'checked_in') return;
    for (const { id, state } of this.#outbox.entries) {
      if (state === 'delivered') this.#outbox.forget(id);
    }
  }
}

/** Whether an event of the user's topic is about their place in a workshop. */
function concernsWorkshop({ event, data }: LiveEvent, workshopId: string): boolean {
  if (event !== 'registration.changed') return false;
  const { registration } = data as { registration: { workshopId: string } };
  return registration.workshopId === workshopId;
}
