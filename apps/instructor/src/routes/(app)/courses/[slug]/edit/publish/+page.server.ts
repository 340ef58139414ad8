import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course, workbench } = await parent();
  const { authoring, catalog } = locals.caller;
  const { courseId } = workbench;
  const [versions, content] = await Promise.all([
    authoring.versions({ courseId }),
    catalog.content({ courseId }),
  ]).catch(throwPageError);
  const { slug, title, summary, description, coverUrl } = course;
  const { category, level, priceCents, currency } = course;
  const details = { slug, title, summary, description, coverUrl };
  return {
    versions,
    published:
      workbench.version === 0
        ? null
        : { content: content.data, details: { ...details, category, level, priceCents, currency } },
  };
};
