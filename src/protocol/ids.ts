// Identity types; parsing and encoding follow with the protocol module.

/** What a node is: `manufacturer:name:version` (`spec/protocol.md` §3.1). */
export interface ActrType {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
}

/** Who a node is: `<serial hex>@<realm>/<type>` (`spec/protocol.md` §3.1). */
export interface ActrId {
  /** u32. */
  readonly realm: number;
  /** u64. */
  readonly serial: bigint;
  readonly type: ActrType;
}
