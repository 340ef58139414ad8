/** The connection on which row level security is asked. */
import pg from 'pg';

/**
 * Plans are made once (a policy planned anew for each user costs many times its execution) and for
 * rows that are in memory, as just changed ones are; nothing is compiled for a few rows; and what is
 * written is temporary, so nobody waits for the disk.
 */
const SESSION =
  '-c plan_cache_mode=force_generic_plan -c random_page_cost=1.1 -c jit=off -c synchronous_commit=off';

/** One connection, made when it is needed and made anew when it has broken. */
export class Judge {
  readonly #url: string;
  readonly #onFault: (error: Error) => void;
  #client: Promise<pg.Client> | null = null;
  #isClosed = false;

  constructor(url: string, onFault: (error: Error) => void) {
    this.#url = url;
    this.#onFault = onFault;
  }

  /** The connection. A new one is a new object, on which nothing has been prepared. */
  connection(): Promise<pg.Client> {
    if (this.#isClosed) throw new Error('closed');
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      options: SESSION,
      application_name: 'realtime_policies',
    });
    const forget = (): void => {
      this.#client = null;
    };
    client.on('error', (error) => {
      forget();
      this.#onFault(error);
    });
    client.on('end', forget);
    try {
      await client.connect();
    } catch (error) {
      forget();
      throw error;
    }
    return client;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#client?.catch(() => null);
    await client?.end();
  }
}
