export { leadToCheckIn as GET } from '@homeroom/portal/server';
