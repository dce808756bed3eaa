import type { Track } from "../domain/job";
import { clock } from "../domain/roll";
import { Alert } from "./Alert";
import { PianoRoll } from "./PianoRoll";
import { usePlayer } from "./usePlayer";

interface Props {
  track: Track;
  /** Whether all files are there that ever will be. */
  ended: boolean;
  /** Whether the notes are drawn. */
  drawn: boolean;
  /** What to tell of an error. */
  sentence: (error: unknown) => string;
}

/** Plays a track, and draws it: the rendered file where there is one, else the notes. */
export function Transport({ track, ended, drawn, sentence }: Props) {
  const player = usePlayer(track);
  const { score, position, playing, loop, volume, level, byFile } = player;
  if (player.error !== null) return <Alert>{sentence(player.error)}</Alert>;
  if (!score) return <div class={drawn ? "roll waiting" : "waiting"} aria-busy="true" />;

  const seek = (time: number) => player.seek(score, time);
  const label = playing ? "Pause" : "Play";
  return (
    <div class="transport" data-player={byFile ? "file" : "synthesiser"}>
      {drawn && <PianoRoll notes={score.notes} seconds={score.seconds} position={position} onSeek={seek} />}
      <input
        class="position accented"
        type="range"
        aria-label="Position"
        aria-valuetext={`${clock(position)} of ${clock(score.seconds)}`}
        min={0}
        max={score.seconds}
        step={0.05}
        value={position}
        onInput={(event) => seek(Number(event.currentTarget.value))}
      />
      <div class="row controls">
        <button type="button" class="play" aria-label={label} onClick={() => void player.toggle(score)}>
          <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <path d={playing ? "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" : "M8 5v14l11-7z"} />
          </svg>
        </button>
        <button type="button" class="quiet" aria-pressed={loop} onClick={() => player.setLoop(!loop)}>
          Loop
        </button>
        <span class="time">
          {clock(position)} / {clock(score.seconds)}
        </span>
        <label class="volume">
          <span>Volume</span>
          <input
            type="range"
            min={0}
            max={1}
            step={0.01}
            value={volume}
            onInput={(event) => player.setVolume(Number(event.currentTarget.value))}
          />
        </label>
        <span class="level" aria-hidden="true" data-level={level.toFixed(4)}>
          <span style={{ transform: `scaleX(${Math.min(1, level * 4)})` }} />
        </span>
      </div>
      {!byFile && (
        <p class="hint">
          {ended
            ? "Played by this page itself, note by note."
            : "Played by this page itself, until the server has played it to a file."}
        </p>
      )}
    </div>
  );
}
