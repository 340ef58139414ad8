import { findCourse } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => ({
  course: await findCourse(event, event.params.slug),
});
