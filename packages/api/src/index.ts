/** For typed clients: `import type { AppRouter } from '@homeroom/api'`. */
export { appRouter, type AppRouter } from './router.ts';
export { createContext, type Context } from './server/context.ts';
