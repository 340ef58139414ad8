import type { PortalLocals } from './server/handle.ts';

declare global {
  namespace App {
    // The portals declare the same; here it types what both share.
    interface Locals extends PortalLocals {}
  }
}

export {};
