import type { PortalLocals } from './server/handle.ts';

declare global {
  namespace App {
    // The portals declare the same; here it types what both share.
    interface Locals extends PortalLocals {}
    interface Error {
      message: string;
      /** Of the request that failed, to be reported. */
      requestId?: string;
    }
  }
}

export {};
