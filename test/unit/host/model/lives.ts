import assert from "node:assert/strict";
import type { Note, Reading } from "./subject.ts";

/** What is known of an actor when something is asked of its key. */
export interface Floor {
  readonly id: string | undefined;
  /** Labels that everybody after sees. */
  readonly length: number;
}

/** One actor from its making to its end: what somebody was told of it, and what it promised. */
class Life {
  /** By position; a hole where nobody was told. */
  readonly log: string[] = [];
  readonly promised = new Set<string>();
  /** Somebody may have asked for its end. */
  endAsked = false;
  /** It was told that it has ended, or another one answered in its place. */
  ended = false;
  /** Nothing of it is left. */
  deleted = false;
}

/** The rules: what was told once stays, at its place, whatever comes after; what was promised happens, once. */
export class Lives {
  readonly #lives = new Map<string, Life>();
  /** The last life that answered, by key. */
  readonly #current = new Map<string, string>();

  /** What whoever asks now must be told at least. */
  floor(key: string): Floor {
    const id = this.#current.get(key);
    return { id, length: id === undefined ? 0 : this.#life(id).log.length };
  }

  /** An actor answered with all it knows. */
  answered(key: string, { id, log }: Reading, floor: Floor): void {
    this.#takesPlace(key, id);
    const least = floor.id === id ? floor.length : 0;
    assert.ok(log.length >= least, `${key}: ${log.length} of ${least} labels are there`);
    assert.equal(new Set(log).size, log.length, `${key}: something was done twice: ${log}`);
    for (const [position, label] of log.entries()) this.noted({ id, position, label });
  }

  /** Somebody was told of one label. */
  noted({ id, position, label }: Note): void {
    const { log } = this.#life(id);
    assert.equal(log[position] ?? label, label, `${id}: label ${position} is not what it was`);
    log[position] = label;
  }

  /** An actor accepted something that it will do. */
  promised(id: string, label: string): void {
    this.#life(id).promised.add(label);
  }

  /** The end of a key's actor was asked for. */
  endAsked(key: string, id = this.#current.get(key)): void {
    if (id !== undefined) this.#life(id).endAsked = true;
  }

  /** It was told that an actor has ended. */
  deleted(id: string): void {
    const life = this.#life(id);
    life.ended = true;
    life.deleted = true;
  }

  /** Everything had its time: nothing that was promised is left. */
  settled(key: string, { id, log }: Reading): void {
    for (const label of this.#life(id).promised) {
      assert.ok(log.includes(label), `${key}: ${label} was accepted, and not done`);
    }
    assert.deepEqual([...this.#life(id).log], log, key);
  }

  /** Actors that nothing is left of. */
  get gone(): string[] {
    return [...this.#lives].filter(([, { deleted }]) => deleted).map(([id]) => id);
  }

  /** A new actor is made only when the one before it was to end; that one answers no more. */
  #takesPlace(key: string, id: string): void {
    const before = this.#current.get(key);
    assert.ok(!this.#life(id).ended, `${key}: ${id} answers after its end`);
    if (before === id) return;
    if (before !== undefined) {
      assert.ok(this.#life(before).endAsked, `${key}: ${id} took the place of ${before}`);
      this.#life(before).ended = true;
    }
    this.#current.set(key, id);
  }

  #life(id: string): Life {
    const life = this.#lives.get(id) ?? new Life();
    this.#lives.set(id, life);
    return life;
  }
}
