import type { Output } from "./output";
import type { Player } from "./player";

/** Plays the file that the server rendered, by an audio element. */
export class FilePlayer implements Player {
  private readonly element = new Audio();
  private readonly url: string;

  constructor(
    file: Blob,
    readonly seconds: number,
    output: Output,
    onEnd: () => void,
  ) {
    this.url = URL.createObjectURL(file);
    this.element.src = this.url;
    this.element.preload = "auto";
    this.element.onended = onEnd;
    document.body.append(this.element);
    output.context.createMediaElementSource(this.element).connect(output.input);
    this.resume = () => output.context.resume();
  }

  private readonly resume: () => Promise<void>;

  get playing(): boolean {
    return !this.element.paused && !this.element.ended;
  }

  position(): number {
    return Math.min(this.element.currentTime, this.seconds);
  }

  async play(): Promise<void> {
    await this.resume();
    await this.element.play();
  }

  pause(): void {
    this.element.pause();
  }

  seek(position: number): void {
    this.element.currentTime = position;
  }

  setLoop(loop: boolean): void {
    this.element.loop = loop;
  }

  dispose(): void {
    this.element.pause();
    this.element.remove();
    this.element.removeAttribute("src");
    URL.revokeObjectURL(this.url);
  }
}

/** Whether this browser plays such files. */
export function plays(contentType: string): boolean {
  return new Audio().canPlayType(contentType) !== "";
}
