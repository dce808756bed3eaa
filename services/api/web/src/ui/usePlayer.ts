import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { FilePlayer, plays } from "../audio/filePlayer";
import { Output } from "../audio/output";
import type { Player } from "../audio/player";
import { Synthesiser } from "../audio/synthesiser";
import type { Track } from "../domain/job";
import { parseMidi, type Piece as Score } from "../domain/midi";
import { getFile } from "../io/api";
import { loadVolume, saveVolume } from "../io/store";

/** One for the page: browsers allow few. Made when first needed, since it asks for the sound card. */
let shared: Output | null = null;
function theOutput(volume: number): Output {
  shared ??= new Output(volume);
  return shared;
}

/** Plays a track: the first of its files that can be had and played, else the notes. */
export function usePlayer(track: Track) {
  const { score, error } = useScore(track.midi);
  const [position, setPosition] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [loop, setLoop] = useState(false);
  const [volume, setVolume] = useState(loadVolume);
  const [level, setLevel] = useState(0);
  const [byFile, setByFile] = useState(false);
  const player = useRef<Player | null>(null);
  const looping = useRef(loop);

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

  // files are known by their URLs; volume is set as it changes
  useEffect(() => {
    if (!score) return;
    let gone = false;
    void firstFile(track).then((file) => {
      // the notes are there to be played all the same
      if (gone || file === null) return;
      use(new FilePlayer(file, score.seconds, theOutput(volume), stopped));
      setByFile(true);
    });
    return () => {
      gone = true;
    };
  }, [score, track.sounds.map((sound) => sound.url).join(" "), use, stopped]);
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

  const ready = (notes: Score): Player => {
    if (!player.current) use(new Synthesiser(notes, theOutput(volume), stopped));
    return player.current as Player;
  };
  return {
    score,
    error,
    position,
    playing,
    loop,
    volume,
    level,
    byFile,
    async toggle(notes: Score) {
      const one = ready(notes);
      if (one.playing) one.pause();
      else await one.play();
      setPlaying(one.playing);
    },
    seek(notes: Score, time: number) {
      ready(notes).seek(time);
      setPosition(time);
    },
    setLoop(on: boolean) {
      looping.current = on;
      setLoop(on);
      player.current?.setLoop(on);
    },
    setVolume(value: number) {
      setVolume(value);
      saveVolume(value);
      shared?.setVolume(value);
    },
  };
}

function useScore(url: string) {
  const [score, setScore] = useState<Score | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    getFile(url)
      .then((file) => file.arrayBuffer())
      .then((bytes) => !gone && setScore(parseMidi(new Uint8Array(bytes))))
      .catch((problem) => !gone && setError(problem));
    return () => {
      gone = true;
    };
  }, [url]);
  return { score, error };
}

async function firstFile(track: Track): Promise<Blob | null> {
  for (const sound of track.sounds) {
    if (!plays(sound.type)) continue;
    try {
      return await getFile(sound.url);
    } catch {
      // perhaps the next one is there
    }
  }
  return null;
}
