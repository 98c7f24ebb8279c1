/** Points that one byte costs which the guest hands over, and that a call of its host costs at all: about what they take. */
const perByte = 1;
const perCall = 1_000;
/** Points of whatever else a guest imports, such as a look at the clock. */
const perImport = 200;

/** Charges below this are settled together: to write a global of WebAssembly costs more than to add. */
const settledAt = 50_000;

/** A mutable i32 that a guest exports. */
export interface Counter {
  value: number;
}

/**
 * The fuel of the entry that runs: the guest's own counter, less what its host charges for work that it has done for
 * the guest, so that a loop of host calls ends as any other.
 */
export class FuelMeter {
  readonly #global: Counter;
  #debt = 0;

  constructor(global: Counter) {
    this.#global = global;
  }

  /** Gives so many points to what runs next. */
  fill(points: number): void {
    this.#global.value = points;
    this.#debt = 0;
  }

  /** Takes the price of a call that carries so many bytes. */
  charge(bytes: number): void {
    this.#take(perCall + bytes * perByte);
  }

  /** Takes the price of a function of the host that does little: a point of the guest's own may stand before many. */
  chargeImport(): void {
    this.#take(perImport);
  }

  /** Points that are left. */
  get left(): number {
    if (this.#debt > 0) this.#settle();
    return this.#global.value;
  }

  #take(points: number): void {
    this.#debt += points;
    if (this.#debt >= settledAt) this.#settle();
  }

  /** At 0 the guest traps at its next function or turn of a loop. */
  #settle(): void {
    this.#global.value = Math.max(0, this.#global.value - this.#debt);
    this.#debt = 0;
  }
}
