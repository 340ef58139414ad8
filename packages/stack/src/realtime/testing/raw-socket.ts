/** A client that speaks the bare protocol, for what supabase-js would hide. */
import WebSocket from 'ws';

/** A frame from the server, read; `binary` is set for a binary frame. */
export type Frame = {
  joinRef?: string | null;
  ref?: string | null;
  topic?: string;
  event?: string;
  payload?: Record<string, unknown>;
  binary?: Buffer;
};

export class RawSocket {
  readonly #ws: WebSocket;
  readonly #version: string;
  readonly #frames: Frame[] = [];
  #waiting: (() => void) | null = null;
  readonly closed: Promise<number>;

  private constructor(ws: WebSocket, version: string) {
    this.#ws = ws;
    this.#version = version;
    this.closed = new Promise((resolve) => ws.once('close', (code) => resolve(code)));
    ws.on('message', (data: Buffer, isBinary) => {
      this.#frames.push(isBinary ? { binary: data } : this.#read(data.toString()));
      this.#waiting?.();
    });
  }

  /** Connects; rejects with the status when the handshake is refused. */
  static open(url: string, version = '2.0.0', apikey = 'sb_publishable_test'): Promise<RawSocket> {
    const query = new URLSearchParams({ vsn: version, apikey });
    const ws = new WebSocket(
      `${url.replace('http', 'ws')}/realtime/v1/websocket?${query.toString()}`,
    );
    const socket = new RawSocket(ws, version);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(socket));
      ws.once('unexpected-response', (_, response) =>
        reject(new Error(String(response.statusCode))),
      );
      ws.once('error', reject);
    });
  }

  #read(text: string): Frame {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return parsed as Frame;
    const [joinRef, ref, topic, event, payload] = parsed as [
      string,
      string,
      string,
      string,
      Record<string, unknown>,
    ];
    return { joinRef, ref, topic, event, payload };
  }

  /** Sends any bytes or text as they are. */
  sendRaw(data: string | Uint8Array): void {
    this.#ws.send(data);
  }

  send(
    topic: string,
    event: string,
    payload: unknown,
    ref: string | null = '1',
    joinRef: string | null = '1',
  ): void {
    const message =
      this.#version === '2.0.0'
        ? [joinRef, ref, topic, event, payload]
        : { join_ref: joinRef, ref, topic, event, payload };
    this.sendRaw(JSON.stringify(message));
  }

  /** Joins and gives the reply's payload. */
  async join(
    topic: string,
    payload: unknown = { config: {} },
    joinRef = '1',
  ): Promise<Record<string, unknown>> {
    this.send(topic, 'phx_join', payload, joinRef, joinRef);
    const reply = await this.next((frame) => frame.event === 'phx_reply' && frame.ref === joinRef);
    return reply.payload ?? {};
  }

  /** The next frame that fits, passing over others for good. */
  async next(fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame === undefined) await new Promise<void>((resolve) => (this.#waiting = resolve));
      else if (fits(frame)) return frame;
    }
  }

  /** Frames received and not yet taken, once the server has answered everything sent so far. */
  async settled(): Promise<Frame[]> {
    const ref = crypto.randomUUID();
    this.send('phoenix', 'heartbeat', {}, ref, null);
    const before: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.ref === ref) return before;
      before.push(frame);
    }
  }

  close(): void {
    this.#ws.close();
  }
}
