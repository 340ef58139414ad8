/** Another stack, or another Postgres, already works on this data. */
export class AlreadyRunningError extends Error {
  override name = 'AlreadyRunningError';
  readonly code = 'ALREADY_RUNNING';
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(
      `The stack of ${dataDir} is already running (pid ${pid}). Stop that one first, or use another data folder.`,
    );
    this.pid = pid;
  }
}

/** Somebody else listens on the port. */
export class PortTakenError extends Error {
  override name = 'PortTakenError';
  readonly code = 'PORT_TAKEN';
  readonly port: number;
  /** The environment variable that changes the port. */
  readonly variable: string;

  constructor(port: number, variable: string) {
    super(`Port ${port} is taken. Free it, or choose another one with ${variable}.`);
    this.port = port;
    this.variable = variable;
  }
}
