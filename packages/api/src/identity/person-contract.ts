import * as z from 'zod';

/** Someone, as shown beside what they said or did. The name comes from their profile. */
export const personSchema = z.object({
  id: z.guid(),
  name: z.string(),
  avatarUrl: z.string().nullable(),
});

/** Someone, as shown beside what they said or did. The name comes from their profile. */
export type Person = z.infer<typeof personSchema>;
