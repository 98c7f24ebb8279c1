import {
  apply,
  type Contents,
  emptyContents,
} from "../../../../adapters/memory/memory_contents.ts";
import { MemoryStore } from "../../../../adapters/memory/memory_store.ts";
import { ActrError } from "../../../../src/errors.ts";
import type { Clock } from "../../../../src/ports/clock.ts";
import type { StoreChange } from "../../../../src/ports/store.ts";

/** What the disk does with one group of commits. */
export interface Fate {
  /** Milliseconds until it has answered; 0: in the next turn of the event loop. */
  readonly ms: number;
  /** What is at fault, where it writes nothing: itself, or what it is to write. */
  readonly fault: "database" | "statement" | undefined;
}

interface Commit {
  readonly changes: readonly StoreChange[];
  readonly told: (error?: ActrError) => void;
}

/**
 * A store of memory that behaves as one on a disk: commits that come together are written together, which takes time
 * and may fail; reads see what is not written yet; a crash loses it.
 */
export class DiskStore extends MemoryStore {
  readonly #clock: Clock;
  readonly #fate: () => Fate;
  readonly #disk: Contents;
  /** What reads see. */
  readonly #view: Contents;
  #open: Commit[] = [];
  #writing: readonly Commit[] = [];
  /** Why it writes nothing any more. */
  #end: ActrError | undefined;

  constructor(clock: Clock, fate: () => Fate, disk: Contents = emptyContents()) {
    const view = structuredClone(disk);
    super(view);
    disk.clean = false;
    this.#clock = clock;
    this.#fate = fate;
    this.#disk = disk;
    this.#view = view;
  }

  /** What the next process finds: nothing of what was not written. This one writes nothing any more. */
  override reopen(): DiskStore {
    this.#end = new ActrError("lease_lost", "another owner took over");
    super.reopen();
    return new DiskStore(this.#clock, this.#fate, this.#disk);
  }

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    await new Promise<void>((resolve, reject) => {
      for (const change of changes) apply(this.#view, change);
      this.#open.push({
        changes,
        told: (error) => (error === undefined ? resolve() : reject(error)),
      });
      if (this.#open.length === 1) this.#clock.defer(() => this.#write());
    });
  }

  override async close(): Promise<void> {
    this.#end = new ActrError("storage", "the store is closed");
    this.#disk.clean = true;
    await super.close();
  }

  #write(): void {
    if (this.#writing.length > 0 || this.#open.length === 0) return;
    this.#writing = this.#open;
    this.#open = [];
    const { ms, fault } = this.#fate();
    const end = (): void => this.#written(fault);
    if (ms === 0) this.#clock.defer(end);
    else this.#clock.timer(this.#clock.now() + ms, end);
  }

  #written(fault: Fate["fault"]): void {
    const group = this.#writing;
    this.#writing = [];
    const error = this.#end ?? (fault && failure(fault));
    if (error !== undefined) return this.#fail([...group, ...this.#open], error);
    for (const { changes } of group) for (const change of changes) apply(this.#disk, change);
    // Before anybody is told: what was handed over meanwhile is on its way already.
    this.#write();
    for (const { told } of group) told();
  }

  /** What was handed over since fails with the rest; reads see what is on disk. */
  #fail(commits: readonly Commit[], error: ActrError): void {
    this.#open = [];
    this.#view.spaces.clear();
    for (const [name, space] of this.#disk.spaces) this.#view.spaces.set(name, new Map(space));
    for (const { told } of commits) told(error);
  }
}

function failure(fault: string): ActrError {
  return new ActrError("storage", "the disk fails", { details: { fault } });
}
