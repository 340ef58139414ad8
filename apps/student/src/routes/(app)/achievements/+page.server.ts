import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
  const { achievements, certificates, progress } = locals.caller;
  const [earned, issued, stats] = await Promise.all([
    achievements.list(),
    certificates.mine(),
    progress.stats(),
  ]);
  return { earned, issued, stats };
};
