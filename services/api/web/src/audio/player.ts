/** Plays one piece. Times are in seconds. */
export interface Player {
  readonly seconds: number;
  readonly playing: boolean;
  position(): number;
  play(): Promise<void>;
  pause(): void;
  seek(position: number): void;
  setLoop(loop: boolean): void;
  /** Stops and lets go of everything. */
  dispose(): void;
}
