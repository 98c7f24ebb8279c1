import { pageHashes, pageText } from "./page_text.ts";

/** Only what is in the page runs, it talks to its own node alone, and nobody frames it. */
const policy = [
  "default-src 'none'",
  `script-src ${pageHashes.script}`,
  `style-src ${pageHashes.style}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The inspector's page. It is the same for everybody, and shows nothing without the token. */
export function pageAnswer(): Response {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
  return new Response(pageText, { headers });
}
