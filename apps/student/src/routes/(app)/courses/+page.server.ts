import { loadCatalogue } from '#lib/catalog/load-catalogue.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = loadCatalogue;
