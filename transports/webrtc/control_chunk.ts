import { encodeDataChunk } from "../../src/protocol/data_chunk.ts";

/**
 * Chunks by which Roost nodes speak of the connection itself, on the reliable stream lane. An Actr peer that is no Roost
 * drops them as chunks of a stream that nobody registered (`spec/transport.md` §8).
 */
export class ControlChunk {
  readonly #template: Uint8Array;
  readonly #payloadAt: number;

  /** All chunks of one kind have the same stream id and the same length of payload, which comes last. */
  constructor(streamId: string, payloadBytes: number) {
    const payload = new Uint8Array(payloadBytes);
    this.#template = encodeDataChunk({ streamId, sequence: 0n, payload, metadata: [] });
    this.#payloadAt = this.#template.length - payloadBytes;
  }

  /** The body of a chunk with this payload. */
  write(payload: Uint8Array): Uint8Array {
    const body = this.#template.slice();
    body.set(payload, this.#payloadAt);
    return body;
  }

  /** The payload of a body of this kind; undefined for every other body. */
  read(body: Uint8Array): Uint8Array | undefined {
    if (body.length !== this.#template.length) return undefined;
    for (let at = 0; at < this.#payloadAt; at++) {
      if (body[at] !== this.#template[at]) return undefined;
    }
    return body.subarray(this.#payloadAt);
  }
}
