import { REPORT_REASONS, type ReportReason } from '@homeroom/api/kinds';

const labels: Record<ReportReason, string> = {
  spam: 'It is advertising or spam',
  harassment: 'It insults or threatens somebody',
  cheating: 'It gives away solutions',
  off_topic: 'It doesn’t belong here',
  other: 'Something else',
};

/** Why a message may be reported, in words. */
export const reportReasons = REPORT_REASONS.map((value) => ({ value, label: labels[value] }));

/** A reason in words. */
export function reasonLabel(reason: ReportReason): string {
  return labels[reason];
}
