import { Misuse } from "../misuse.ts";

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of an age such as `90s`, `30m`, `12h` or `7d`. @throws Misuse. */
export function parseAge(text: string, option: string): number {
  const found = /^(\d{1,6})([smhd])$/.exec(text);
  if (found === null)
    throw new Misuse(`${option} is ${text}; write an age such as 90s, 30m, 12h or 7d`);
  return Number(found[1]) * unitsMs[found[2] as keyof typeof unitsMs];
}

/** An age in words: its largest unit, `350 ms` to `3 d`. */
export function formatAge(ms: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms >= unitsMs[unit]) return `${Math.floor(ms / unitsMs[unit])} ${unit}`;
  }
  return `${Math.round(ms)} ms`;
}
