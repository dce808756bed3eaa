/** Where all sound goes: volume, then a meter, then the speakers. */
export class Output {
  readonly context = new AudioContext();
  readonly input: GainNode = this.context.createGain();
  private readonly meter: AnalyserNode = this.context.createAnalyser();
  private readonly samples = new Float32Array(1024);

  constructor(volume: number) {
    this.meter.fftSize = this.samples.length;
    this.input.connect(this.meter).connect(this.context.destination);
    this.setVolume(volume);
  }

  setVolume(volume: number): void {
    // squared: ears hear loudness by ratios
    this.input.gain.setTargetAtTime(volume * volume, this.context.currentTime, 0.02);
  }

  /** Root mean square of the last samples, 0-1. */
  level(): number {
    this.meter.getFloatTimeDomainData(this.samples);
    const sum = this.samples.reduce((total, sample) => total + sample * sample, 0);
    return Math.sqrt(sum / this.samples.length);
  }
}
