import process from "node:process";

/** How long a process idles before its memory is read, milliseconds. */
const idleMs = 500;

/** Tells the parent that all is up, then what memory that takes at rest. */
export async function tellReady(figures: Readonly<Record<string, number>>): Promise<void> {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  process.stdout.write(`${JSON.stringify({ rss: process.memoryUsage().rss })}\n`);
}
