import type { VerifiedCertificate } from '@homeroom/api/contract';
import type { Connection } from '../connection/connection.ts';
import { liveQuery, type LiveQuery, type Snapshot } from '../live-query/live-query.ts';
import { apply } from './apply.ts';

/** Whether a certificate holds, live: for everybody who has its serial number. */
export function verifiedCertificate(
  connection: Connection,
  serialNumber: string,
  { initial }: { initial?: Snapshot<VerifiedCertificate> } = {},
): LiveQuery<VerifiedCertificate> {
  return liveQuery({
    connection,
    topic: `certificate:${serialNumber}`,
    load: () => connection.api.certificates.verify.query({ serialNumber }),
    apply,
    initial,
  });
}
