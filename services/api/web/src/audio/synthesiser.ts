import type { Note, Piece } from "../domain/midi";
import type { Output } from "./output";
import type { Player } from "./player";

const LOOK_AHEAD = 0.25;
const LOOK_EVERY_MS = 60;
const ATTACK = 0.008;
const RELEASE = 0.18;
const PERCUSSION = 9;
/** Seconds after which a struck string has lost two thirds of its loudness, at middle C; higher ones lose it sooner. */
const DECAY = 1.1;
/** General MIDI's programs from here on are bowed, blown or sung: they keep their loudness. */
const FIRST_SUSTAINED = 40;

/** Plays notes where there is no rendered file: two oscillators a note, struck or sustained. */
export class Synthesiser implements Player {
  private bus: GainNode;
  private readonly noise: AudioBuffer;
  private startedAt = 0;
  private offset = 0;
  private next = 0;
  private loop = false;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly piece: Piece,
    private readonly output: Output,
    private readonly onEnd: () => void,
  ) {
    this.bus = this.newBus();
    const rate = output.context.sampleRate;
    this.noise = output.context.createBuffer(1, rate / 4, rate);
    const samples = this.noise.getChannelData(0);
    for (let index = 0; index < samples.length; index += 1) samples[index] = Math.random() * 2 - 1;
  }

  get seconds(): number {
    return this.piece.seconds;
  }

  get playing(): boolean {
    return this.timer !== null;
  }

  position(): number {
    const passed = this.playing ? this.output.context.currentTime - this.startedAt : 0;
    return Math.min(this.seconds, Math.max(0, this.offset + passed));
  }

  async play(): Promise<void> {
    await this.output.context.resume();
    if (this.playing) return;
    if (this.offset >= this.seconds) this.offset = 0;
    this.begin();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.look();
  }

  pause(): void {
    if (this.timer === null) return;
    this.offset = this.position();
    clearInterval(this.timer);
    this.timer = null;
    this.silence();
  }

  seek(position: number): void {
    this.offset = Math.min(this.seconds, Math.max(0, position));
    if (this.playing) {
      this.silence();
      this.begin();
    }
  }

  setLoop(loop: boolean): void {
    this.loop = loop;
  }

  dispose(): void {
    this.pause();
    this.bus.disconnect();
  }

  private begin(): void {
    this.startedAt = this.output.context.currentTime;
    const first = this.piece.notes.findIndex((note) => note.start + note.duration > this.offset);
    this.next = first < 0 ? this.piece.notes.length : first;
  }

  /** Hands the audio thread what begins within the next moments: it keeps time, a timer does not. */
  private look(): void {
    const until = this.position() + LOOK_AHEAD;
    for (
      let note = this.piece.notes[this.next];
      note && note.start < until;
      note = this.piece.notes[this.next]
    ) {
      this.sound(note, this.startedAt + note.start - this.offset);
      this.next += 1;
    }
    if (this.position() < this.seconds) return;
    if (this.loop) {
      this.seek(0);
      return;
    }
    this.pause();
    this.onEnd();
  }

  private sound(note: Note, time: number): void {
    const { context } = this.output;
    const at = Math.max(time, context.currentTime);
    const left = note.duration - (at - time);
    if (left <= 0) return;
    if (note.channel === PERCUSSION) {
      this.hit(note, at);
      return;
    }
    const gain = context.createGain();
    const peak = 0.16 * (note.velocity / 127) ** 1.5;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(peak, at + ATTACK);
    const lasting = DECAY * 2 ** ((60 - note.pitch) / 24);
    if (note.program < FIRST_SUSTAINED) gain.gain.setTargetAtTime(0, at + ATTACK, lasting);
    gain.gain.setTargetAtTime(0, at + left, RELEASE / 3);
    gain.connect(this.bus);
    const frequency = 440 * 2 ** ((note.pitch - 69) / 12);
    for (const [type, multiple, share] of [
      ["triangle", 1, 1],
      ["sine", 2, 0.25],
    ] as const) {
      const oscillator = context.createOscillator();
      const part = context.createGain();
      oscillator.type = type;
      oscillator.frequency.value = frequency * multiple;
      part.gain.value = share;
      oscillator.connect(part).connect(gain);
      oscillator.start(at);
      oscillator.stop(at + left + RELEASE);
    }
  }

  private hit(note: Note, at: number): void {
    const { context } = this.output;
    const source = context.createBufferSource();
    const gain = context.createGain();
    source.buffer = this.noise;
    gain.gain.setValueAtTime(0.1 * (note.velocity / 127), at);
    gain.gain.setTargetAtTime(0, at, 0.05);
    source.connect(gain).connect(this.bus);
    source.start(at);
  }

  /** What sounds ends now: its bus fades, and a new one takes its place. */
  private silence(): void {
    const { context } = this.output;
    const old = this.bus;
    old.gain.setTargetAtTime(0, context.currentTime, 0.015);
    setTimeout(() => old.disconnect(), 200);
    this.bus = this.newBus();
  }

  private newBus(): GainNode {
    const bus = this.output.context.createGain();
    bus.connect(this.output.input);
    return bus;
  }
}
