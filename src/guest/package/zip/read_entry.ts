import { ActrError } from "../../../errors.ts";
import type { ZipEntry } from "./zip_directory.ts";
import { zipError } from "./zip_error.ts";

/** How many bytes deflate may make of one, at most. */
const largestRatio = 1032;

/** Some runtimes inflate all at once that they are given at once: then up to 4 MiB. */
const sliceBytes = 4096;

/**
 * The bytes of an entry, in memory of their own: as many as it declares, which the caller has to bound. Its checksum is not
 * looked at: hashes and signatures say more. @throws ActrError `invalid_argument` with details `package: "zip_error"`.
 */
export async function readZipEntry(entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  // Not slice(): that of a Buffer copies nothing.
  if (!entry.deflated) return new Uint8Array(entry.packed);
  // No memory is taken for what cannot be there.
  if (entry.size > entry.packed.length * largestRatio) throw otherSize(entry);
  const { writable, readable } = new DecompressionStream("deflate-raw");
  feed(writable, entry.packed).catch(() => {}); // What fails there fails for the reader, too.
  try {
    return await take(readable, entry);
  } catch (cause) {
    if (ActrError.is(cause)) throw cause;
    throw zipError(`${JSON.stringify(entry.name)} cannot be inflated`, entry.name, cause);
  }
}

async function feed(writable: WritableStream<BufferSource>, packed: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < packed.length; at += sliceBytes) {
    await writer.write(packed.slice(at, at + sliceBytes));
  }
  await writer.close();
}

async function take(
  readable: ReadableStream<Uint8Array>,
  entry: ZipEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(entry.size);
  const reader = readable.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (value.length > bytes.length - at) {
      const error = otherSize(entry);
      await reader.cancel(error); // Ends the feeding, too.
      throw error;
    }
    bytes.set(value, at);
    at += value.length;
  }
  if (at < bytes.length) throw otherSize(entry);
  return bytes;
}

function otherSize({ name, size }: ZipEntry): ActrError {
  return zipError(`${JSON.stringify(name)} does not have the ${size} bytes that it declares`, name);
}
