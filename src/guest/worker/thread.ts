/** What a {@link GuestThread} tells of itself. */
export interface ThreadEvents {
  message(message: unknown): void;
  /** It is gone, or will say nothing more; told once. */
  ended(cause: unknown): void;
}

/** Another thread, in which guests run; what starts one depends on the runtime. */
export interface GuestThread {
  /** Sends plain data; the buffers are handed over. */
  post(message: unknown, moved: ArrayBuffer[]): void;
  /** Whether it keeps the process alive. */
  keepAlive(keep: boolean): void;
  /** Ends it as far as the runtime can: an endless loop of WebAssembly goes on until its fuel is spent on Deno and Bun (`spec/guest.md` §18.2). Idempotent. */
  end(): void;
}

/** Starts a thread that serves guests (`serveGuests`). */
export type StartThread = (events: ThreadEvents) => GuestThread;

/** The other end: how the thread itself hears and speaks. */
export interface ThreadPort {
  post(message: unknown, moved: ArrayBuffer[]): void;
  listen(hear: (message: unknown) => void): void;
}
