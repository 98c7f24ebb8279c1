import { abortable } from "#async";
import type { Clock } from "../../ports/clock.ts";
import type { GuestCode, GuestImage, GuestLimits, HostCalls } from "../../ports/guest_host.ts";
import type { StartThread } from "./thread.ts";
import { ThreadLine } from "./thread_line.ts";
import type { WorkerInstance } from "./worker_instance.ts";

/** What a {@link WorkerImage} needs. */
interface WorkerImageComponents {
  readonly clock: Clock;
  readonly startThread: StartThread;
}

/** Code that is loaded in a thread; in another one, when that one is of no use any more. */
export class WorkerImage implements GuestImage {
  readonly #components: WorkerImageComponents;
  readonly #code: GuestCode;
  readonly #limits: GuestLimits;
  #line: ThreadLine | undefined;

  constructor(components: WorkerImageComponents, code: GuestCode, limits: GuestLimits) {
    this.#components = components;
    this.#code = code;
    this.#limits = limits;
  }

  /** Starts the thread, and loads the code in it. @throws ActrError as the host in the thread does; the signal's reason. */
  async load(signal: AbortSignal): Promise<void> {
    await this.#loaded(signal);
  }

  async instantiate(calls: HostCalls, signal: AbortSignal): Promise<WorkerInstance> {
    await this.#line?.quiet();
    const line = await this.#loaded(signal);
    return this.#orEnd(line, line.instantiate(calls), signal);
  }

  /** A thread with the code in it. */
  async #loaded(signal: AbortSignal): Promise<ThreadLine> {
    signal.throwIfAborted();
    if (this.#line?.ended === false) return this.#line;
    const line = new ThreadLine(this.#components);
    this.#line = line;
    await this.#orEnd(line, line.load(this.#code, this.#limits), signal);
    return line;
  }

  /** Whom nobody waits for any more, or what failed to load, does not go on. */
  async #orEnd<T>(line: ThreadLine, work: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await abortable(work, signal);
    } catch (error) {
      line.end(error);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#line?.end("it was given up");
  }
}
