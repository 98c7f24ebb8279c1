/** What lies in a heap knows its place there, so that it can be taken out of the middle. */
export interface HeapElement {
  /** Its heap's own. */
  place: number;
}

/** Elements of which the first is always at hand; each lies in one heap at most. Every change costs O(log size). */
export class Heap<T extends HeapElement> {
  readonly #elements: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#elements.length;
  }

  /** The next one that {@link Heap.shift} gives. */
  get first(): T | undefined {
    return this.#elements[0];
  }

  push(element: T): void {
    this.#elements.push(element);
    this.#rise(element, this.#elements.length - 1);
  }

  shift(): T | undefined {
    const first = this.#elements[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out an element that lies in this heap. */
  remove({ place }: T): void {
    const last = this.#elements.pop();
    if (last === undefined || last.place === place) return;
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  #rise(element: T, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = this.#elements[above];
      if (parent === undefined || !this.#isBefore(element, parent)) break;
      this.#set(parent, place);
      place = above;
    }
    this.#set(element, place);
  }

  #sink(element: T, from: number): void {
    let place = from;
    for (;;) {
      const child = this.#firstChild(place);
      if (child === undefined || !this.#isBefore(child, element)) break;
      const below = child.place;
      this.#set(child, place);
      place = below;
    }
    this.#set(element, place);
  }

  #firstChild(place: number): T | undefined {
    const left = this.#elements[2 * place + 1];
    const right = this.#elements[2 * place + 2];
    return left && right && this.#isBefore(right, left) ? right : left;
  }

  #set(element: T, place: number): void {
    this.#elements[place] = element;
    element.place = place;
  }
}
