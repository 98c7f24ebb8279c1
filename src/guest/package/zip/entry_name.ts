/** Longest name, UTF-16 units. */
const longest = 1024;

/** What is wrong with the name of an entry; undefined when it is a path below the archive, and nothing else (`spec/guest.md` §21 GD-6). */
export function entryNameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > longest) return `is longer than ${longest} characters`;
  if (hasControl(name)) return "has control characters";
  if (name.includes("\\")) return "has a backslash";
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) return "is absolute";
  const steps = name.split("/");
  if (steps.includes("..") || steps.includes(".")) return "has a step . or ..";
  return steps.includes("") ? "has an empty step" : undefined;
}

function hasControl(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
