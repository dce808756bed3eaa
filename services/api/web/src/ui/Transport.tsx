import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { FilePlayer, plays } from "../audio/filePlayer";
import { Output } from "../audio/output";
import type { Player } from "../audio/player";
import { Synthesiser } from "../audio/synthesiser";
import type { Piece } from "../domain/job";
import { parseMidi, type Piece as Score } from "../domain/midi";
import { clock } from "../domain/roll";
import { sentenceOf } from "../domain/sentences";
import { getOutput } from "../io/api";
import { loadVolume, saveVolume } from "../io/store";
import { Alert } from "./Alert";
import { PianoRoll } from "./PianoRoll";

/** One for the page: browsers allow few. Made when first needed, since it asks for the sound card. */
let shared: Output | null = null;
function theOutput(volume: number): Output {
  shared ??= new Output(volume);
  return shared;
}

interface Props {
  piece: Piece;
  /** Whether all files are there that ever will be. */
  ended: boolean;
}

/** Plays a piece and draws it: the rendered file where there is one, else the notes. */
export function Transport({ piece, ended }: Props) {
  const [score, setScore] = useState<Score | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [position, setPosition] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [loop, setLoop] = useState(false);
  const [volume, setVolume] = useState(loadVolume);
  const [level, setLevel] = useState(0);
  const [byFile, setByFile] = useState(false);
  const player = useRef<Player | null>(null);
  const looping = useRef(loop);

  useEffect(() => {
    let gone = false;
    getOutput(piece.midi)
      .then((file) => file.arrayBuffer())
      .then((bytes) => !gone && setScore(parseMidi(new Uint8Array(bytes))))
      .catch((problem) => !gone && setError(problem));
    return () => {
      gone = true;
    };
  }, [piece.midi.url]);

  const use = useCallback((next: Player) => {
    const before = player.current;
    next.setLoop(looping.current);
    if (before) {
      next.seek(before.position());
      if (before.playing) void next.play();
      before.dispose();
    }
    player.current = next;
  }, []);
  const stopped = useCallback(() => {
    setPlaying(false);
    setPosition(0);
    player.current?.seek(0);
  }, []);

  const sound = piece.audio.find((file) => plays(file.content_type));
  // the file is known by its URL; volume is set as it changes
  useEffect(() => {
    if (!score || !sound) return;
    let gone = false;
    getOutput(sound)
      .then((file) => {
        if (gone) return;
        use(new FilePlayer(file, score.seconds, theOutput(volume), stopped));
        setByFile(true);
      })
      // the notes are there to be played all the same
      .catch(() => setByFile(false));
    return () => {
      gone = true;
    };
  }, [score, sound?.url, use, stopped]);
  useEffect(() => () => player.current?.dispose(), []);

  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    const draw = () => {
      setPosition(player.current?.position() ?? 0);
      setLevel(shared?.level() ?? 0);
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => {
      cancelAnimationFrame(frame);
      setLevel(0);
    };
  }, [playing]);

  if (error !== null) return <Alert>{sentenceOf(error)}</Alert>;
  if (!score) return <div class="roll waiting" aria-busy="true" />;

  const ready = (): Player => {
    if (!player.current) use(new Synthesiser(score, theOutput(volume), stopped));
    return player.current as Player;
  };
  const toggle = async () => {
    const one = ready();
    if (one.playing) one.pause();
    else await one.play();
    setPlaying(one.playing);
  };
  const seek = (time: number) => {
    ready().seek(time);
    setPosition(time);
  };
  const label = playing ? "Pause" : "Play";
  return (
    <div class="transport" data-player={byFile ? "file" : "synthesiser"}>
      <PianoRoll notes={score.notes} seconds={score.seconds} position={position} onSeek={seek} />
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
        <button type="button" class="play" aria-label={label} onClick={() => void toggle()}>
          <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <path d={playing ? "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" : "M8 5v14l11-7z"} />
          </svg>
        </button>
        <button
          type="button"
          class="quiet"
          aria-pressed={loop}
          onClick={() => {
            looping.current = !loop;
            setLoop(!loop);
            player.current?.setLoop(!loop);
          }}
        >
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
            onInput={(event) => {
              const value = Number(event.currentTarget.value);
              setVolume(value);
              saveVolume(value);
              shared?.setVolume(value);
            }}
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
