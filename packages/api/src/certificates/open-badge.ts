import type { VerifiedCertificate } from './contract.ts';

/** The addresses that a credential names, all below the student portal's own. */
export function addressesOf(origin: string) {
  return {
    issuer: `${origin}/credentials/issuer`,
    keys: `${origin}/credentials/keys`,
    key: (id: string) => `${origin}/credentials/keys/${id}`,
    certificate: (serialNumber: string) => `${origin}/verify/${serialNumber}`,
    badge: (serialNumber: string) => `${origin}/verify/${serialNumber}/badge`,
    status: (serialNumber: string) => `${origin}/verify/${serialNumber}/status`,
    course: (slug: string) => `${origin}/courses/${slug}`,
  };
}

/** Who issues: an Open Badges 3.0 Profile. */
export function issuerProfile(origin: string) {
  const { issuer, keys } = addressesOf(origin);
  return { id: issuer, type: ['Profile'], name: 'Homeroom', url: origin, jwks: keys };
}

/**
 * A certificate as an Open Badges 3.0 credential, before it is signed. The student is named and not
 * identified further: nothing in it leads to an account or an address.
 */
export function openBadge(certificate: VerifiedCertificate, origin: string) {
  const address = addressesOf(origin);
  const { serialNumber, studentName, courseTitle, courseSlug, courseSummary } = certificate;
  const { id, type, name, url } = issuerProfile(origin);
  return {
    '@context': [
      'https://www.w3.org/ns/credentials/v2',
      'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json',
      'https://purl.imsglobal.org/spec/ob/v3p0/extensions.json',
    ],
    id: address.badge(serialNumber),
    type: ['VerifiableCredential', 'OpenBadgeCredential'],
    name: courseTitle,
    issuer: { id, type, name, url },
    validFrom: new Date(certificate.issuedAt).toISOString(),
    credentialSubject: {
      type: ['AchievementSubject'],
      identifier: [
        { type: 'IdentityObject', identityType: 'name', identityHash: studentName, hashed: false },
      ],
      achievement: {
        id: address.course(courseSlug),
        type: ['Achievement'],
        achievementType: 'CertificateOfCompletion',
        name: courseTitle,
        description: courseSummary || courseTitle,
        criteria: { narrative: 'Every required lesson of the course is done, its quizzes passed.' },
      },
    },
    evidence: [
      { id: address.certificate(serialNumber), type: ['Evidence'], name: 'The certificate' },
    ],
    credentialStatus: { id: address.status(serialNumber), type: '1EdTechRevocationList' },
  };
}

/**
 * A revocation list for one credential. One list for all would tell everybody the serial numbers
 * of others, and with them their names.
 */
export function revocationList(certificate: VerifiedCertificate, origin: string) {
  const address = addressesOf(origin);
  const { serialNumber, isValid, revocationReason } = certificate;
  const revoked = { id: address.badge(serialNumber), revoked: true, revocationReason };
  return {
    id: address.status(serialNumber),
    issuer: address.issuer,
    revokedCredentials: isValid ? [] : [revoked],
  };
}
