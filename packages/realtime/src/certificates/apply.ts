import type { PublicCertificateEvents, VerifiedCertificate } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isCertificateEvent = isOneOf<PublicCertificateEvents>({ 'certificate.changed': true });

/** What is known of a certificate after an event of its topic. */
export function apply(certificate: VerifiedCertificate, event: LiveEvent): VerifiedCertificate {
  if (!isCertificateEvent(event)) return certificate;
  const { isValid, certificate: changed } = event.data;
  return { ...certificate, ...changed, isValid };
}
