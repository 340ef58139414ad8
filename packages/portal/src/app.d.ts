import type { PortalLocals } from './server/handle.ts';

declare global {
  namespace App {
    // The portals declare the same; here it types what both share.
    interface Locals extends PortalLocals {}
    interface Error {
      /** In the browser: the network failed, not the portal. */
      isUnreachable?: boolean;
      /** Of the request that failed, to be reported. */
      requestId?: string;
    }
  }
}

export {};
