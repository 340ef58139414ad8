import type { Participant } from '@homeroom/api/contract';

/** A part of the list: those who are missing come first, since they are whom one looks for. */
export type ParticipantGroup = {
  title: string;
  kind: 'missing' | 'here' | 'waiting';
  participants: Participant[];
};

/** Those whose name holds `words`, by how they stand; who came last is the first of those here. */
export function groupsOf(
  participants: readonly Participant[],
  words: string,
  isOver: boolean,
): ParticipantGroup[] {
  const wanted = words.trim().toLowerCase();
  const found = participants.filter(({ person }) => person.name.toLowerCase().includes(wanted));
  const having = (status: Participant['status']) => found.filter((one) => one.status === status);
  const here = having('checked_in').sort((a, b) =>
    (b.checkedInAt ?? '').localeCompare(a.checkedInAt ?? ''),
  );
  const groups: ParticipantGroup[] = [
    {
      title: isOver ? 'Not checked in' : 'Not here yet',
      kind: 'missing',
      participants: having('registered'),
    },
    { title: isOver ? 'Were there' : 'Here', kind: 'here', participants: here },
    { title: 'On the waiting list', kind: 'waiting', participants: having('waitlisted') },
  ];
  return groups.filter((group) => group.participants.length > 0);
}
