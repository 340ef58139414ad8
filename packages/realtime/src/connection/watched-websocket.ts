/** What the connection wants to know about the socket beneath Phoenix's client. */
export type SocketWatcher = {
  /** A new socket is being opened. */
  opening(socket: WebSocket): void;
  opened(socket: WebSocket): void;
  lost(socket: WebSocket): void;
};

/**
 * A WebSocket class for Phoenix's client that tells a watcher what happens to it at once, and that
 * is closed the moment `close()` is called: on a dead network, a real WebSocket waits for the other
 * side to agree, and Phoenix's client waits for that before it opens a new one.
 */
export function watchedWebSocket(watcher: SocketWatcher): typeof WebSocket {
  return class extends WebSocket {
    #isClosed = false;

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      watcher.opening(this);
      // After Phoenix's client has set its own handlers, so that it is told first.
      queueMicrotask(() => {
        this.addEventListener('open', () => watcher.opened(this));
        this.addEventListener('close', () => watcher.lost(this));
      });
    }

    override get readyState(): WebSocket['readyState'] {
      return this.#isClosed ? WebSocket.CLOSED : super.readyState;
    }

    override close(code?: number, reason?: string): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      super.close(code, reason);
      this.dispatchEvent(new CloseEvent('close', { code, reason }));
      this.onopen = this.onmessage = this.onerror = this.onclose = null;
    }
  };
}
