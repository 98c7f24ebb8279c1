/** Marks and lengths of the records of an archive, bytes; numbers in them are little-endian (APPNOTE.TXT 6.3, §4.3). */
export const records = {
  local: { mark: 0x04034b50, length: 30 },
  central: { mark: 0x02014b50, length: 46 },
  end: { mark: 0x06054b50, length: 22 },
} as const;

/** Where the fields that a local and a central header share begin in each. */
export const sharedAt = { local: 4, central: 6 } as const;

/** How an entry's bytes stand in the archive. */
export const methods = { stored: 0, deflated: 8 } as const;

/** General purpose bits of an entry. */
export const flags = {
  /** How hard the writer tried; means nothing to readers. */
  deflateEffort: 0x0006,
  /** The local header has no sizes: they follow the data. */
  sizesFollow: 0x0008,
  /** The name is UTF-8. */
  utf8: 0x0800,
} as const;

/** The fields that a local and a central header share. */
export interface SharedHeader {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly nameLength: number;
  readonly extraLength: number;
}

/** Reads the shared fields, 26 bytes, at `at`. */
export function readShared(view: DataView, at: number): SharedHeader {
  return {
    flags: view.getUint16(at + 2, true),
    method: view.getUint16(at + 4, true),
    crc: view.getUint32(at + 10, true),
    packedSize: view.getUint32(at + 14, true),
    size: view.getUint32(at + 18, true),
    nameLength: view.getUint16(at + 22, true),
    extraLength: view.getUint16(at + 24, true),
  };
}

/** Writes the shared fields, 26 bytes, at `at`: written in 1980, to be read by version 2.0, no extra field. */
export function writeShared(view: DataView, at: number, header: SharedHeader): void {
  const version = 20;
  const firstDay = 0x0021;
  view.setUint16(at, version, true);
  view.setUint16(at + 2, header.flags, true);
  view.setUint16(at + 4, header.method, true);
  view.setUint16(at + 8, firstDay, true);
  view.setUint32(at + 10, header.crc, true);
  view.setUint32(at + 14, header.packedSize, true);
  view.setUint32(at + 18, header.size, true);
  view.setUint16(at + 22, header.nameLength, true);
  view.setUint16(at + 24, header.extraLength, true);
}
