/** One project under test, with users, clients and a database connection. */
import { randomUUID } from 'node:crypto';
import {
  createClient as createNewest,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type RealtimeClientOptions,
  type SupabaseClient,
} from '@supabase/supabase-js';
import postgres, { type Sql } from 'postgres';
import { createClient as createOlder } from 'supabase-js-2025';
import { Inbox } from '../realtime/testing/realtime.ts';
import { createSchema, dropSchema } from './schema.ts';
import { openTarget, type Target } from './target.ts';

/** A way to make clients: one of the libraries, unmodified. */
export type Library = {
  name: string;
  create: typeof createNewest;
  /** Whether it speaks the serializer 2.0.0, and so sends and gets bytes. */
  hasBinary: boolean;
};

/** Today's supabase-js, and the one of a year before. They differ in types, not in what is used here. */
export const LIBRARIES: Library[] = [
  { name: 'supabase-js 2.119', create: createNewest, hasBinary: true },
  {
    name: 'supabase-js 2.84',
    create: createOlder as unknown as typeof createNewest,
    // It knows a draft of 2.0.0, which no server speaks, and uses 1.0.0.
    hasBinary: false,
  },
];

/** Somebody with an account. */
export type User = { id: string; accessToken: string };

type Config = RealtimeChannelOptions['config'];

/** A `system` message, as clients get it. */
export type SystemMessage = { extension: string; status: string; message: string };

export class Stage implements AsyncDisposable {
  readonly target: Target;
  readonly sql: Sql;
  readonly ann: User;
  readonly bob: User;
  readonly #admin: SupabaseClient;
  readonly #clients: SupabaseClient[] = [];
  readonly #closing: unknown[] = [];

  private constructor(target: Target, sql: Sql, admin: SupabaseClient, [ann, bob]: [User, User]) {
    this.target = target;
    this.sql = sql;
    this.ann = ann;
    this.bob = bob;
    this.#admin = admin;
  }

  /** Opens the target, makes the schema and two users. */
  static async open(): Promise<Stage> {
    await using started = new AsyncDisposableStack();
    const target = started.use(await openTarget());
    const sql = postgres(target.databaseUrl, { max: 3, onnotice: () => undefined });
    started.defer(() => sql.end());
    await createSchema(sql);
    const admin = createNewest(target.url, target.secretKey, { auth: { persistSession: false } });
    const users: [User, User] = [await signUp(admin, target), await signUp(admin, target)];
    started.move();
    return new Stage(target, sql, admin, users);
  }

  /** A client: of a user, of a bare token, with the secret key, or of nobody. */
  async client(
    library: Library,
    who: { user?: User; token?: string; secret?: boolean } = {},
    realtime: RealtimeClientOptions = {},
  ): Promise<SupabaseClient> {
    const token = who.token ?? who.user?.accessToken ?? null;
    const key = who.secret === true ? this.target.secretKey : this.target.publishableKey;
    const client = library.create(this.target.url, key, {
      auth: { persistSession: false, autoRefreshToken: false },
      ...(token === null ? {} : { accessToken: () => Promise.resolve(token) }),
      realtime,
    });
    if (token !== null) await client.realtime.setAuth(token);
    this.#clients.push(client);
    return client;
  }

  /** Closes what a case has open. The library takes a third of a second; the next need not wait. */
  hangUp(): void {
    for (const client of this.#clients.splice(0)) {
      this.#closing.push(client.removeAllChannels().then(() => client.realtime.disconnect()));
    }
  }

  /** `realtime.send`. */
  async send(topic: string, event: string, payload: object, isPrivate = true): Promise<void> {
    await this.sql`
      select realtime.send(${this.sql.json({ ...payload })}, ${event}, ${topic}, ${isPrivate})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await Promise.all(this.#closing);
    for (const { id } of [this.ann, this.bob]) await this.#admin.auth.admin.deleteUser(id);
    await dropSchema(this.sql);
    await this.sql.end();
    await this.target[Symbol.asyncDispose]();
  }
}

/** Makes an account and signs it in: tokens are the project's own. */
async function signUp(admin: SupabaseClient, target: Target): Promise<User> {
  const email = `${randomUUID()}@conformance.test`;
  const password = randomUUID();
  const made = await admin.auth.admin.createUser({ email, password, email_confirm: true });
  if (made.error !== null) throw made.error;
  const client = createNewest(target.url, target.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error !== null) throw error;
  return { id: made.data.user.id, accessToken: data.session.access_token };
}

/** A topic that no other case uses. */
export function freshTopic(): string {
  return `conformance:${randomUUID()}`;
}

/** What a channel has said about its state, and its system messages. */
export type Followed = {
  channel: RealtimeChannel;
  states: Inbox<{ status: string; error?: Error | undefined }>;
  system: Inbox<SystemMessage>;
};

/** Makes a channel and notes what happens to it; `prepare` adds listeners. Not subscribed yet. */
export function follow(
  client: SupabaseClient,
  topic: string,
  config: Config = {},
  prepare: (channel: RealtimeChannel) => unknown = () => undefined,
): Followed {
  const channel = client.channel(topic, { config });
  const system = new Inbox<SystemMessage>();
  channel.on('system', {}, system.put);
  prepare(channel);
  return { channel, states: new Inbox(), system };
}

/** Subscribes; resolves with the first state. */
export async function subscribe({ channel, states }: Followed): Promise<string> {
  channel.subscribe((status, error) => states.put({ status: `${status}`, error }));
  return (await states.find()).status;
}

/** A subscribed channel, or an error with the reason. */
export async function joined(
  client: SupabaseClient,
  topic: string,
  config?: Config,
  prepare?: (channel: RealtimeChannel) => unknown,
): Promise<Followed> {
  const followed = follow(client, topic, config, prepare);
  const status = await subscribe(followed);
  if (status !== 'SUBSCRIBED') throw followed.states.all[0]?.error ?? new Error(status);
  return followed;
}

/** Why a subscription is refused. */
export async function refusal(
  client: SupabaseClient,
  topic: string,
  config?: Config,
): Promise<string> {
  const followed = follow(client, topic, config);
  await subscribe(followed);
  const { error, status } = await followed.states.find();
  return error?.message ?? status;
}

/** Broadcasts as clients get them. */
export type Broadcast = {
  event: string;
  payload: Record<string, unknown> & ArrayBuffer;
  meta?: { id: string; replayed?: boolean };
};

/** A subscribed channel and the broadcasts that it hears. */
export async function listening(
  client: SupabaseClient,
  topic: string,
  config?: Config,
): Promise<Followed & { heard: Inbox<Broadcast> }> {
  const heard = new Inbox<Broadcast>();
  const followed = await joined(client, topic, config, (channel) =>
    channel.on('broadcast', { event: '*' }, heard.put as (message: unknown) => void),
  );
  return { ...followed, heard };
}
