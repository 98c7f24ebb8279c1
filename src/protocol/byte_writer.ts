const firstCapacity = 256;
const keptCapacity = 65_536;

/** Bytes that grow as they are written; what they mean is for its subclasses to say. */
export class ByteWriter {
  protected bytes: Uint8Array<ArrayBuffer> = new Uint8Array(firstCapacity);
  protected view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  protected length = 0;

  /** What was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Forgets what was written; keeps its room, where that is not large. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length <= keptCapacity) return;
    this.bytes = new Uint8Array(firstCapacity);
    this.view = new DataView(this.bytes.buffer);
  }

  byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  /** Bytes as they are, without a length before them. */
  raw(value: Uint8Array): this {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** Makes room for so many bytes more. */
  protected reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
