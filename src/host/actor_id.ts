const msDigits = 12;

/**
 * An id for what is made at a time, Unix milliseconds: a version 7 UUID, whose first 48 bits are the time, out of the
 * random bits of one of version 4. What is made together then lies together on disk: a commit of many new actors
 * writes a few pages, not one for each.
 */
export function timedId(at: number, uuid: string): string {
  const time = at.toString(16).padStart(msDigits, "0").slice(-msDigits);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${uuid.slice(15)}`;
}
