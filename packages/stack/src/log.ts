/** What the stack tells its operator. `error` means that something was lost or refused by a fault. */
export type LogEntry = {
  level: 'info' | 'warning' | 'error';
  /** One word that names the part: `auth-rest`, `jobs`, `postgres`, `replication`… */
  part: string;
  message: string;
};

/** Takes what happens. */
export type Log = (entry: LogEntry) => void;
