/** Slots looked at for one key; keys that find none in so many go to a map, so that nobody can make a search long. */
const maxProbes = 32;

/** Longest request id that is kept as numbers, UTF-16 units. */
const maxUnits = 128;

/** Units of one chunk of ids. */
const chunkUnits = 65_536;

const firstSlots = 1_024;

/**
 * Finds numbers by caller and request id. Ids are kept as units in large arrays and found by their hash: as strings in
 * a map, a hundred thousand of them would be copied by the garbage collector again and again.
 */
export class AnswerIndex {
  readonly #callers = new Map<string, number>();
  /** Keys that are not kept as numbers. */
  readonly #others = new Map<string, number>();
  /** Per key: its hash, its caller, where its units begin, how many there are, and what it stands for. */
  readonly #hashes: number[] = [];
  readonly #owners: number[] = [];
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #values: number[] = [];
  readonly #chunks: Uint16Array[] = [];
  #used = chunkUnits;
  /** One more than the place of a key in the lists; 0 where there is none. A power of two of them. */
  #slots = new Int32Array(firstSlots);

  /** What was set last for a key; `idHash` is the {@link hashOfId} of its id. */
  get(caller: string, requestId: string, idHash: number): number | undefined {
    const owner = this.#callers.get(caller);
    if (owner === undefined) return undefined;
    const slot = this.#slotOf(owner, requestId, withOwner(idHash, owner));
    const key = slot < 0 ? -1 : (this.#slots[slot] ?? 0) - 1;
    if (key >= 0) return this.#values[key];
    return this.#others.size === 0 ? undefined : this.#others.get(otherKey(owner, requestId));
  }

  set(caller: string, requestId: string, idHash: number, value: number): void {
    const owner = this.#ownerOf(caller);
    const hash = withOwner(idHash, owner);
    if (this.#values.length * 2 >= this.#slots.length) this.#grow();
    const slot = requestId.length > maxUnits ? -1 : this.#slotOf(owner, requestId, hash);
    if (slot < 0) return void this.#others.set(otherKey(owner, requestId), value);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known >= 0) this.#values[known] = value;
    else this.#slots[slot] = this.#append(owner, requestId, hash, value);
  }

  /** The slot of a key, or the free one that it would get; negative when it is not among the slots. */
  #slotOf(owner: number, requestId: string, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let probe = 0; probe < maxProbes; probe += 1) {
      const slot = (hash + probe) & mask;
      const key = (this.#slots[slot] ?? 0) - 1;
      if (key < 0 || (this.#hashes[key] === hash && this.#is(key, owner, requestId))) return slot;
    }
    return -1;
  }

  #is(key: number, owner: number, requestId: string): boolean {
    if (this.#owners[key] !== owner || this.#lengths[key] !== requestId.length) return false;
    const start = this.#starts[key] ?? 0;
    const at = start % chunkUnits;
    const chunk = this.#chunks[(start - at) / chunkUnits];
    for (let unit = 0; unit < requestId.length; unit += 1) {
      if (chunk?.[at + unit] !== requestId.charCodeAt(unit)) return false;
    }
    return true;
  }

  /** Adds a key; returns what its slot is to hold. */
  #append(owner: number, requestId: string, hash: number, value: number): number {
    this.#hashes.push(hash);
    this.#owners.push(owner);
    this.#starts.push(this.#keep(requestId));
    this.#lengths.push(requestId.length);
    return this.#values.push(value);
  }

  #keep(requestId: string): number {
    const { length } = requestId;
    if (this.#used + length > chunkUnits) {
      this.#chunks.push(new Uint16Array(chunkUnits));
      this.#used = 0;
    }
    const chunk = this.#chunks.at(-1);
    const start = this.#used;
    for (let unit = 0; unit < length; unit += 1) {
      if (chunk !== undefined) chunk[start + unit] = requestId.charCodeAt(unit);
    }
    this.#used += length;
    return (this.#chunks.length - 1) * chunkUnits + start;
  }

  /** In twice as many slots, filled in the same order, no key is farther from its own than it was. */
  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (const [key, hash] of this.#hashes.entries()) {
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = key + 1;
    }
    this.#slots = slots;
  }

  #ownerOf(caller: string): number {
    let owner = this.#callers.get(caller);
    if (owner === undefined) {
      owner = this.#callers.size;
      this.#callers.set(caller, owner);
    }
    return owner;
  }
}

/** FNV-1a over an id: made once, for all indexes that are asked. */
export function hashOfId(requestId: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < requestId.length; at += 1) {
    hash = Math.imul(hash ^ requestId.charCodeAt(at), 0x01000193);
  }
  return hash;
}

/** The hash of an id and its owner; not negative. */
function withOwner(idHash: number, owner: number): number {
  const hash = Math.imul(idHash ^ owner, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 1;
}

function otherKey(owner: number, requestId: string): string {
  return `${owner} ${requestId}`;
}
