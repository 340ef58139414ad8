import { SettingsError } from './settings.ts';
import { PortTakenError } from './ports.ts';
import { AlreadyRunningError } from './run-lock.ts';
import { CommandFailedError } from './build.ts';

/** A command's arguments, without its name; the number it returns is the exit code. */
type Command = (args: string[]) => Promise<number>;

// Each is loaded when it is called: `stack status` shouldn't pay for the test runner.
const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./commands/start.ts')).start,
  dev: async () => (await import('./commands/start.ts')).dev,
  test: async () => (await import('./commands/test.ts')).test,
  check: async () => (await import('./commands/check.ts')).check,
  stack: async () => (await import('./commands/stack.ts')).stack,
  db: async () => (await import('./commands/db.ts')).db,
  keys: async () => (await import('./commands/keys.ts')).keys,
  attendance: async () => (await import('./commands/attendance.ts')).attendance,
  new: async () => (await import('./commands/new.ts')).newCapability,
};

/** Errors whose message is all that a person needs; of any other, the stack is shown too. */
const plainErrors = [SettingsError, PortTakenError, AlreadyRunningError, CommandFailedError];

const [name = '', ...args] = process.argv.slice(2);
const load = commands[name];
if (load === undefined) {
  console.error(`There is no command "${name}". There are: ${Object.keys(commands).join(', ')}.`);
  process.exit(2);
}
try {
  const command = await load();
  process.exitCode = await command(args);
} catch (error) {
  const isPlain = plainErrors.some((kind) => error instanceof kind);
  console.error(isPlain && error instanceof Error ? `\n${error.message}` : error);
  process.exitCode = 1;
}
