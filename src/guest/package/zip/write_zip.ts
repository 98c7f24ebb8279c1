import { concatBytes, utf8 } from "../../../protocol/bytes.ts";
import { crc32 } from "../../../protocol/crc32.ts";
import {
  flags,
  methods,
  records,
  type SharedHeader,
  sharedAt,
  writeShared,
} from "./zip_records.ts";

/** Name and content of a file. */
export type NamedFile = readonly [name: string, content: Uint8Array];

/** An archive of the files in their order, as they are: same files, same bytes. For less than 65,535 files and 4 GiB. */
export function writeZip(files: readonly NamedFile[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [text, content] of files) {
    const name = utf8(text);
    const header = headerOf(text, name, content);
    parts.push(localHeader(header), name, content);
    directory.push(centralHeader(header, at), name);
    at += records.local.length + name.length + content.length;
  }
  const central = concatBytes(directory);
  return concatBytes([...parts, central, endRecord(files.length, central.length, at)]);
}

function headerOf(text: string, name: Uint8Array, content: Uint8Array): SharedHeader {
  const size = content.length;
  return {
    flags: name.length === text.length ? 0 : flags.utf8,
    method: methods.stored,
    crc: crc32(content),
    packedSize: size,
    size,
    nameLength: name.length,
    extraLength: 0,
  };
}

function localHeader(header: SharedHeader): Uint8Array {
  const view = recordOf(records.local);
  writeShared(view, sharedAt.local, header);
  return bytesOf(view);
}

function centralHeader(header: SharedHeader, localAt: number): Uint8Array {
  const view = recordOf(records.central);
  const version = 20;
  view.setUint16(4, version, true);
  writeShared(view, sharedAt.central, header);
  view.setUint32(42, localAt, true);
  return bytesOf(view);
}

function endRecord(count: number, directoryBytes: number, directoryAt: number): Uint8Array {
  const view = recordOf(records.end);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, directoryBytes, true);
  view.setUint32(16, directoryAt, true);
  return bytesOf(view);
}

function recordOf({ mark, length }: { readonly mark: number; readonly length: number }): DataView {
  const view = new DataView(new ArrayBuffer(length));
  view.setUint32(0, mark, true);
  return view;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}
