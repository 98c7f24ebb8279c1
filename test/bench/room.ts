/** Bytes of what is said in a room. */
const length = 100;
const digits = 16;
/** Stands before the time, and nowhere else. */
const mark = 0x40;

/** 100 bytes that tell when they were said. */
export function stamped(): string {
  const us = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return `@${String(us).padStart(digits, "0")}`.padEnd(length, "x");
}

/** Microseconds since something {@link stamped} was said. */
export function ageOf(message: Buffer): number {
  const at = message.indexOf(mark) + 1;
  const us = Number(message.toString("latin1", at, at + digits));
  return Math.max(0, (performance.timeOrigin + performance.now()) * 1000 - us);
}

/** Does something so often for a time, evenly, and makes up for what a late timer missed; returns how often. */
export async function paced(
  { perSecond, ms }: { readonly perSecond: number; readonly ms: number },
  run: () => void,
): Promise<number> {
  const began = performance.now();
  let done = 0;
  for (let passed = 0; passed < ms; passed = performance.now() - began) {
    for (const due = Math.floor((passed * perSecond) / 1000); done < due; done += 1) run();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return done;
}
