import type { PortalLocals } from '@homeroom/portal/server';

declare global {
  namespace App {
    interface Locals extends PortalLocals {}
  }
}

export {};
