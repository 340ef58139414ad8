import { confirm } from '@homeroom/portal/server';

export const GET = confirm;
