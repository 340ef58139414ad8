import type { PortalLocals } from '@homeroom/portal/server';

declare global {
  namespace App {
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
