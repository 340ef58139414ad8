/** What a page needs for live data, and nothing else: its size is what is measured. */
import { createConnection, notifications } from '@homeroom/realtime/core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';

Object.assign(globalThis, { createConnection, notifications, createTRPCClient, httpBatchLink });
