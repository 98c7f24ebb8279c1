import type { Api } from "./api.ts";

/** What a view is given. */
export interface Page {
  readonly api: Api;
  /** Tells how something went. */
  tell(message: string): void;
  /** Runs something that may fail, and tells of that. */
  attempt(work: () => Promise<void>): Promise<void>;
}

/** One view. */
export interface View {
  readonly element: HTMLElement;
  /** It is not shown any more. */
  close(): void;
}

const refreshMs = 3_000;

/** A view that is drawn anew every few seconds, while the page is seen. */
export function refreshed(page: Page, element: HTMLElement, draw: () => Promise<void>): View {
  let timer = 0;
  let isOpen = true;
  const next = async (): Promise<void> => {
    if (!document.hidden) await page.attempt(draw);
    if (isOpen) timer = window.setTimeout(next, refreshMs);
  };
  void next();
  return {
    element,
    close() {
      isOpen = false;
      clearTimeout(timer);
    },
  };
}
