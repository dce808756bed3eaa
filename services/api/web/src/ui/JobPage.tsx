import { useEffect, useRef, useState } from "preact/hooks";
import { beginFollowing, type Following, hasNews } from "../domain/following";
import { downloadName, isEnded, type Job, piecesOf, strongest } from "../domain/job";
import { ApiError, jobSentence, sentenceOf } from "../domain/sentences";
import { cancelJob, getJob, getPicture, inlineUrl, newIdempotencyKey, submit } from "../io/api";
import { download } from "../io/download";
import { downloadsAtOnce } from "../io/store";
import { followJob } from "../io/stream";
import { Alert } from "./Alert";
import { accent } from "./accent";
import { Bars } from "./Bars";
import { Clips } from "./Clips";
import { CopyLink } from "./CopyLink";
import { Music } from "./Music";
import { Progress } from "./Progress";
import { useTitle } from "./useTitle";

interface Props {
  id: string;
  onJob: (job: Job) => void;
  onError: (error: unknown) => void;
  onSubmitted: (job: Job, picture: Blob | null) => Promise<void>;
  onSameSettings: (job: Job) => void;
}

const RETRY_MS = 3000;

/** A job from its submission on, at its permalink. */
export function JobPage({ id, onJob, onError, onSubmitted, onSameSettings }: Props) {
  const { job, following, live, error, tryAgain } = useJob(id, onJob, onError);
  const [complaint, setComplaint] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useTitle(job && (strongest(job.emotions) ?? job.status));

  const act = async (action: () => Promise<unknown>) => {
    setBusy(true);
    setComplaint(null);
    try {
      await action();
    } catch (problem) {
      setComplaint(problem);
      onError(problem);
    } finally {
      setBusy(false);
    }
  };
  if (!job || !following) {
    return (
      <section class="card" aria-busy={error === null} aria-label="Job">
        {error === null ? <p>One moment…</p> : <Alert>{sentenceOf(error)}</Alert>}
        {error !== null && (
          <div class="row">
            <button type="button" onClick={tryAgain}>
              Try again
            </button>
            <a class="button" href="/">
              Start with a new picture
            </a>
          </div>
        )}
      </section>
    );
  }
  const ended = isEnded(following.status);
  const again = () =>
    act(async () => {
      const picture = job.links.image ? await getPicture(job.id) : null;
      const { seed: _, ...options } = job.input.options;
      await onSubmitted(
        await submit({ picture, options, idempotencyKey: newIdempotencyKey() }, () => undefined),
        picture,
      );
    });
  const pieces = piecesOf(job.outputs);
  const hasMusic = pieces.length > 0 && following.status !== "expired";
  const bars = job.emotions && <Bars mix={job.emotions} asked={Boolean(job.input.options.emotions)} />;
  return (
    <article class="job" style={accent(strongest(job.emotions))}>
      <h1>{title(job)}</h1>
      <Progress
        following={following}
        hasPicture={job.input.image !== null}
        live={live}
        onCancel={ended ? null : () => void act(() => cancelJob(job.id))}
        busy={busy}
      />
      {job.error && <Alert>{jobSentence(job.error)}</Alert>}
      {complaint !== null && <Alert>{sentenceOf(complaint)}</Alert>}
      {job.warnings.map((warning) => (
        <p class="note" key={warning.code}>
          {warning.message}
        </p>
      ))}
      <div class="scene">
        {(job.links.image || hasMusic) && (
          <div class="beside">
            {job.links.image && <img class="picture" src={job.links.image} alt="The scene" />}
            {hasMusic && bars}
          </div>
        )}
        {hasMusic ? <Music job={job} pieces={pieces} ended={ended} onError={onError} /> : bars}
      </div>
      {ended && (
        <div class="row">
          <button type="button" class="primary" disabled={busy} onClick={() => void again()}>
            Again with another seed
          </button>
          <button type="button" onClick={() => onSameSettings(job)}>
            Same settings, another picture
          </button>
          <CopyLink link={location.href} otherwise="Copy it from the address bar." />
        </div>
      )}
      <Clips job={job} />
    </article>
  );
}

function title(job: Job): string {
  if (isEnded(job.status) && job.music === null) return "No music this time";
  if (job.emotions === null) return "Your picture";
  const emotion = strongest(job.emotions);
  const feeling = emotion === null ? "Mixed feelings" : `Mostly ${emotion}`;
  return job.music ? `${feeling}, in ${job.music.key}` : feeling;
}

/** The job as it is now and as it goes on. */
function useJob(id: string, onJob: (job: Job) => void, onError: (error: unknown) => void) {
  const [job, setJob] = useState<Job | null>(null);
  const [following, setFollowing] = useState<Following | null>(null);
  const [live, setLive] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  const hadMidi = useRef<boolean | null>(null);

  // tries is what starts it again
  useEffect(() => {
    let gone = false;
    let stop = () => {};
    const failed = (problem: unknown) => {
      if (gone) return;
      setError(problem);
      onError(problem);
    };
    const show = (found: Job) => {
      if (gone) return;
      setJob(found);
      setFollowing((state) => beginFollowing(found, state?.lastEventId ?? null));
      onJob(found);
      downloadNews(found, hadMidi);
    };
    const refresh = async () => {
      while (!gone) {
        try {
          show(await getJob(id));
          return;
        } catch (problem) {
          if (problem instanceof ApiError && problem.status < 500 && problem.status !== 0)
            return failed(problem);
          setLive(false);
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    };
    const begin = async () => {
      try {
        const found = await getJob(id);
        show(found);
        if (gone || isEnded(found.status)) return;
        stop = followJob(found, {
          onChange: (before, after) => {
            if (!isEnded(after.status)) setFollowing(after);
            if (hasNews(before, after)) void refresh();
          },
          onConnection: setLive,
          onError: failed,
        });
      } catch (problem) {
        failed(problem);
      }
    };
    setError(null);
    void begin();
    return () => {
      gone = true;
      stop();
    };
  }, [id, tries, onJob, onError]);
  return { job, following, live, error, tryAgain: () => setTries(tries + 1) };
}

/** Downloads the MIDI when it has just come, where that is wished; not when an old job is opened. */
function downloadNews(job: Job, hadMidi: { current: boolean | null }): void {
  const pieces = piecesOf(job.outputs);
  if (hadMidi.current === false && pieces.length > 0 && downloadsAtOnce()) {
    for (const piece of pieces) download(inlineUrl(piece.midi), downloadName(job, piece.midi));
  }
  hadMidi.current = pieces.length > 0;
}
