export { handleClientError as handleError } from '@homeroom/portal';
