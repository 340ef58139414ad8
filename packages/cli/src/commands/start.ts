import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type Homeroom, startHomeroom } from '../homeroom.ts';
import { createProgress } from '../progress.ts';
import { readSettings } from '../settings.ts';

/** Runs Homeroom as people use it: installed, migrated, built, served; until Ctrl-C. */
export const start = (): Promise<number> => run('built');

/** The same with hot reload. */
export const dev = (): Promise<number> => run('dev');

/** After a second Ctrl-C nothing is waited for. */
const hurriedExitCode = 130;

async function run(mode: 'built' | 'dev'): Promise<number> {
  const settings = readSettings(process.env);
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const progress = createProgress(process.stdout);
  const starting = startHomeroom({
    settings,
    mode,
    demoData: true,
    onStep: progress.step,
    onProgress: progress.detail,
    onLine: mode === 'dev' ? progress.line : undefined,
  });
  let homeroom: Homeroom;
  try {
    homeroom = await starting;
  } catch (error) {
    progress.fail();
    throw error;
  }
  progress.done();
  console.log(welcome(homeroom));

  const failure = await Promise.race([interrupted.then(() => null), homeroom.failure]);
  process.once('SIGINT', () => process.exit(hurriedExitCode));
  progress.step(failure === null ? 'Stopping' : `${failure}\nStopping the rest`);
  await Promise.race([homeroom.stop(), wait(30_000, undefined, { ref: false })]);
  progress.done();
  return failure === null ? 0 : 1;
}

function welcome({ urls, stack }: Homeroom): string {
  const local =
    stack === null
      ? []
      : [
          '',
          '  Sign in with the password  homeroom-demo  as',
          '    student@homeroom.test      student2@homeroom.test',
          '    instructor@homeroom.test   admin@homeroom.test',
          '',
          `  Mail that Homeroom sends   ${stack.mailUrl}`,
          `  Supabase, on this machine  ${stack.apiUrl}`,
        ];
  return [
    '',
    '  Homeroom is running.',
    '',
    `  Students     ${urls.student}`,
    `  Instructors  ${urls.instructor}`,
    ...local,
    '',
    '  Ctrl-C stops it. Its data stays.',
    '',
  ].join('\n');
}
