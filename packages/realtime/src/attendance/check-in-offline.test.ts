import type { OwnPlace, WorkshopView } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import type { RealtimeApi } from '../connection/api.ts';
import { connectionOver } from '../connection/connection.ts';
import { memory } from '../outbox/key-value.ts';
import { storageOf } from '../outbox/keep.ts';
import { FakeClock, settled } from '../testing/fake-clock.ts';
import { FakePage } from '../testing/fake-page.ts';
import { ModelNetwork } from '../testing/model-network.ts';
import { notModelled } from '../testing/not-modelled.ts';
import { watch } from '../testing/stage.ts';
import { workshop } from './workshop-store.ts';

/** A tab of Ada's, whose check-ins `judge` takes or refuses. */
function tab(judge: (code: string, seenAt: string) => void, storage = memory()) {
  const clock = new FakeClock();
  const network = new ModelNetwork();
  const taken: { code: string; seenAt: string }[] = [];
  const checkInByCode = (input: { code: string; seenAt: string }) =>
    network.call(() => {
      judge(input.code, input.seenAt);
      taken.push({ code: input.code, seenAt: input.seenAt });
    });
  const answer = <Data>(topic: string, data: Data) => ({
    query: () => network.call(() => ({ data, cursor: { topic, seq: 0 } })),
  });
  const own: OwnPlace = { mine: null, meetingUrl: null, secondsPresent: 0 };
  const api: RealtimeApi = {
    ...notModelled,
    live: {
      epoch: { query: () => network.call(() => ({ epoch: 0 })) },
      since: {
        query: () => network.call(() => ({ status: 'events', events: [], head: 0, epoch: 0 })),
      },
    },
    attendance: { ...notModelled.attendance, checkInByCode: { mutate: checkInByCode } },
    workshops: {
      ...notModelled.workshops,
      view: answer('workshop:w', { ...own } as WorkshopView),
      mine: answer('user:ada', own),
    },
  };
  const page = new FakePage();
  const connection = connectionOver({ userId: 'ada', transport: network, page, clock, api });
  storageOf(connection, storage);
  const store = workshop(connection, 'w');
  return { clock, network, store, taken, storage, shown: watch(store) };
}

it('keeps a check-in with its time and code until the network is back, also over a reload', async () => {
  const first = tab(() => undefined);
  first.store.checkInByCode('123456');
  await settled();
  first.network.failCall(Infinity);
  expect(first.shown.now.checkIn).toMatchObject({ payload: { code: '123456' } });
  const { seenAt } = first.shown.now.checkIn!.payload;

  const second = tab(() => undefined, first.storage);
  await second.clock.advance(120_000);
  expect(second.taken).toEqual([]);
  second.network.heal();
  await second.clock.advance(60_000);
  expect(second.taken).toEqual([{ code: '123456', seenAt }]);
});

it('is refused with the reason, once the network is back', async () => {
  const refusal = Object.assign(new Error('closed'), {
    data: { httpStatus: 409, appCode: 'CHECK_IN_CLOSED' },
  });
  const { store, shown, network, clock } = tab(() => {
    throw refusal;
  });
  store.checkInByCode('123456');
  network.heal();
  await clock.advance(60_000);
  expect(shown.now.checkIn).toMatchObject({
    state: 'refused',
    error: { code: 'CHECK_IN_CLOSED', retryable: false },
  });
  store.dismissCheckIn();
  expect(shown.now.checkIn).toBeUndefined();
});
