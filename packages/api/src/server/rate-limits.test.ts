import { expect, it } from 'vitest';
import { createRateLimits } from './rate-limits.ts';

it('refuses the call beyond the limit, and says how long to wait', async () => {
  const count = createRateLimits({ query: 100, mutation: 2 });
  await count('mutation', 'enrollment.enroll', 'ann');
  await count('mutation', 'enrollment.enroll', 'ann');
  const refusal = expect(count('mutation', 'enrollment.enroll', 'ann')).rejects;
  await refusal.toMatchObject({ appCode: 'TOO_MANY_REQUESTS', status: 429 });
  await expect(count('mutation', 'enrollment.enroll', 'ann')).rejects.toSatisfy(
    ({ retryAfterSeconds }) => retryAfterSeconds >= 1 && retryAfterSeconds <= 60,
  );
});

it('counts each user, each procedure, and reading and writing by themselves', async () => {
  const count = createRateLimits({ query: 1, mutation: 1 });
  await count('mutation', 'a', 'ann');
  await count('mutation', 'a', 'bob');
  await count('mutation', 'b', 'ann');
  await count('query', 'a', 'ann');
  await expect(count('query', 'a', 'ann')).rejects.toMatchObject({ status: 429 });
});
