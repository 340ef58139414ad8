import type { PortalLocals } from '@homeroom/portal/server';

declare global {
  namespace App {
    interface Locals extends PortalLocals {}
    interface Error {
      message: string;
      /** Of the request that failed, to be reported. */
      requestId?: string;
    }
  }
}

export {};
