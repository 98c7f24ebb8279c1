/// <reference lib="dom" />

/** One picture for each sender, with its sound. */
export class Screens {
  readonly #place: Element;
  readonly #bySender = new Map<string, HTMLVideoElement>();

  constructor(place: Element) {
    this.#place = place;
  }

  /** Plays a track until it has ended. */
  show(sender: string, track: MediaStreamTrack, ended: AbortSignal): void {
    const screen = this.#of(sender);
    const stream = screen.srcObject as MediaStream;
    stream.addTrack(track);
    ended.addEventListener("abort", () => {
      stream.removeTrack(track);
      if (stream.getTracks().length > 0) return;
      screen.remove();
      this.#bySender.delete(sender);
    });
    void play(screen);
  }

  #of(sender: string): HTMLVideoElement {
    const known = this.#bySender.get(sender);
    if (known !== undefined) return known;
    const screen = Object.assign(document.createElement("video"), {
      srcObject: new MediaStream(),
      controls: true,
      playsInline: true,
    });
    this.#bySender.set(sender, screen);
    this.#place.append(screen);
    return screen;
  }
}

async function play(screen: HTMLVideoElement): Promise<void> {
  try {
    await screen.play();
  } catch {
    // Browsers play no sound in a page that nobody has touched yet; its controls turn it on.
    screen.muted = true;
    await screen.play().catch(() => {});
  }
}
