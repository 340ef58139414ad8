import { expect, it } from 'vitest';
import { expectConvergence, shownBy } from '../testing/convergence.ts';
import { conversation } from './conversation-store.ts';
import { conversations } from './list-store.ts';
import { modelMessages, OTHERS } from './model-messages.ts';

/** Few, so that stories see several parts and pages. */
const LIMIT = 2;

it('ends with the conversations and the count that the server has', async () => {
  await expectConvergence(modelMessages, (connection, model) => {
    const store = conversations(connection, { limit: LIMIT });
    return [
      {
        store,
        act: () => void store.loadMore(),
        compare() {
          const shown = shownBy(store);
          expect(shown).toMatchObject({ status: 'live', unreadCount: model.unreadCount() });
          expect(shown.conversations).toEqual(model.all().slice(0, shown.conversations.length));
          // There may be more to ask for than there is: one from below may have risen.
          expect(shown.hasMore || shown.conversations.length === model.all().length).toBe(true);
        },
      },
    ];
  });
}, 120_000);

it('ends with each message once, in order, and read as far as on the server', async () => {
  await expectConvergence(modelMessages, (connection, model) =>
    OTHERS.slice(0, 2).map((other) => {
      const store = conversation(connection, other, { limit: LIMIT });
      const written = new Set<string>();
      return {
        store,
        act(n: number) {
          if (n % 4 === 0) void store.loadOlder();
          else if (n % 4 === 1) void store.markAsRead(1 + (n % 5));
          else if (n % 4 === 2) void store.markAsUnread(1 + (n % 3));
          else written.add(store.send(`Ada says ${n}`));
        },
        compare() {
          const shown = shownBy(store);
          const { items, conversation: kept } = model.with(other);
          const said = shown.messages.map(whatWasSaid);
          expect(said).toEqual(items.slice(-said.length || items.length).map(whatWasSaid));
          expect(shown).toMatchObject({
            status: 'live',
            readNumber: kept.readNumber,
            unreadCount: kept.unreadCount,
            outgoing: [],
          });
          for (const id of written) {
            expect(items.filter((item) => item.id === id)).toHaveLength(1);
          }
        },
      };
    }),
  );
}, 120_000);

const whatWasSaid = ({ number, content }: { number: number; content: string }) => [number, content];
