import { useMemo, useState } from "preact/hooks";
import { downloadName, type Job, type Output, type Piece } from "../domain/job";
import { sentenceOf } from "../domain/sentences";
import { inlineUrl, trackOf } from "../io/api";
import { Rating } from "./Rating";
import { Transport } from "./Transport";

interface Props {
  job: Job;
  pieces: Piece[];
  ended: boolean;
  onError: (error: unknown) => void;
}

const KINDS: Record<string, string> = {
  mid: "MIDI",
  ogg: "Sound (OGG)",
  mp3: "Sound (MP3)",
  wav: "Sound (WAV)",
  musicxml: "Score (MusicXML)",
  png: "Piano roll (PNG)",
};

/** The music of a job: which piece, played and drawn, and its files. */
export function Music({ job, pieces, ended, onError }: Props) {
  const [number, setNumber] = useState(pieces[0]?.number ?? 1);
  const piece = pieces.find((candidate) => candidate.number === number) ?? pieces[0];
  const track = useMemo(() => piece && trackOf(piece), [piece]);
  if (!piece || !track) return null;
  return (
    <section aria-label="Music" class="music">
      {pieces.length > 1 && (
        <fieldset class="pieces">
          <legend>Piece</legend>
          {pieces.map((candidate) => (
            <label key={candidate.number}>
              <input
                type="radio"
                name="piece"
                checked={candidate === piece}
                onChange={() => setNumber(candidate.number)}
              />
              {candidate.number}
            </label>
          ))}
        </fieldset>
      )}
      <Transport key={piece.number} track={track} ended={ended} drawn sentence={sentenceOf} />
      <Facts job={job} />
      <ul class="downloads" aria-label="Downloads">
        {[piece.midi, ...piece.audio, ...piece.others].map((output) => (
          <li key={output.name}>
            <a class="button" href={inlineUrl(output)} download={downloadName(job, output)}>
              {kindOf(output)} <small>{size(output.bytes)}</small>
            </a>
          </li>
        ))}
      </ul>
      {ended && <Rating key={piece.midi.name} job={job} output={piece.midi.name} onError={onError} />}
    </section>
  );
}

function Facts({ job }: { job: Job }) {
  if (!job.music) return null;
  const { tempo_bpm, key, notes } = job.music;
  const seed = job.provenance.seed === undefined ? "" : ` · seed ${job.provenance.seed}`;
  return (
    <p class="facts">
      {key} · {Math.round(tempo_bpm)} bpm · {notes} notes{seed}
    </p>
  );
}

function kindOf(output: Output): string {
  return KINDS[output.name.split(".").at(-1) ?? ""] ?? output.name;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
