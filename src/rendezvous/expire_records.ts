import type { Store } from "../ports/store.ts";

const pageSize = 500;

/** Deletes the records of a space that are old by their value; returns how many. @throws ActrError `storage`. */
export async function expireRecords(
  store: Store,
  space: string,
  isOld: (value: Uint8Array) => boolean,
): Promise<number> {
  let expired = 0;
  for (let after = ""; ; ) {
    const page = await store.records(space, after, pageSize);
    const old = page.filter(({ value }) => isOld(value));
    if (old.length > 0) {
      await store.commit(old.map(({ key }) => ({ kind: "record.delete", space, key })));
    }
    expired += old.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return expired;
    after = last.key;
  }
}
