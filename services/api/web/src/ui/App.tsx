import { useCallback, useEffect, useState } from "preact/hooks";
import { remember, updated } from "../domain/history";
import type { Capabilities, Job, Session } from "../domain/job";
import { ApiError, sentenceOf } from "../domain/sentences";
import { DEFAULTS, type Settings, settingsOf } from "../domain/settings";
import { getCapabilities, getSession, signOut } from "../io/api";
import { thumbnailOf } from "../io/picture";
import { loadHistory, saveHistory } from "../io/store";
import { Alert } from "./Alert";
import { Compose } from "./Compose";
import { Gallery } from "./Gallery";
import { JobPage } from "./JobPage";
import { SignIn } from "./SignIn";

const idIn = (path: string) => /^\/jobs\/([^/]+)\/?$/.exec(path)?.[1] ?? null;

export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [capabilities, setCapabilities] = useState<Capabilities | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [jobId, setJobId] = useState(() => idIn(location.pathname));
  const [settings, setSettings] = useState<Settings>(DEFAULTS);
  const [history, setHistory] = useState(loadHistory);

  const load = useCallback(async () => {
    setError(null);
    try {
      const [who, what] = await Promise.all([getSession(), getCapabilities()]);
      setSession(who);
      setCapabilities(what);
    } catch (problem) {
      setError(problem);
    }
  }, []);

  useEffect(() => {
    void load();
    const onMove = () => setJobId(idIn(location.pathname));
    addEventListener("popstate", onMove);
    return () => removeEventListener("popstate", onMove);
  }, [load]);
  useEffect(() => saveHistory(history), [history]);

  const go = useCallback((path: string) => {
    window.history.pushState(null, "", path);
    setJobId(idIn(path));
    scrollTo({ top: 0 });
  }, []);
  const onError = useCallback((problem: unknown) => {
    if (problem instanceof ApiError && problem.status === 401) {
      setSession((who) => (who ? { ...who, keys_required: true, signed_in: false } : who));
    }
  }, []);
  const onJob = useCallback((job: Job) => setHistory((known) => updated(known, job)), []);
  const onSubmitted = useCallback(
    async (job: Job, picture: Blob | null) => {
      const thumbnail = picture ? await thumbnailOf(picture) : null;
      const entry = { id: job.id, at: job.created_at, status: job.status, emotions: job.emotions, thumbnail };
      setHistory((known) => remember(known, entry));
      go(`/jobs/${job.id}`);
    },
    [go],
  );
  const onSameSettings = useCallback(
    (job: Job) => {
      setSettings(settingsOf(job));
      go("/");
    },
    [go],
  );
  const leave = async () => {
    await signOut().catch(() => undefined);
    setHistory([]);
    await load();
  };

  const locked = session?.keys_required === true && !session.signed_in;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="wordmark" href="/" onClick={(event) => follow(event, () => go("/"))}>
          <Mark /> Scenescore
        </a>
        <nav aria-label="Page">
          {jobId !== null && !locked && (
            <a href="/" onClick={(event) => follow(event, () => go("/"))}>
              New picture
            </a>
          )}
          {!locked && <a href="#history">History</a>}
          <a href="/docs">API</a>
          {session?.signed_in && (
            <button type="button" class="link" onClick={() => void leave()}>
              Sign out
            </button>
          )}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {error !== null && (
          <Alert>
            {sentenceOf(error)}{" "}
            <button type="button" class="link" onClick={() => void load()}>
              Try again
            </button>
          </Alert>
        )}
        {locked && <SignIn onSignedIn={load} />}
        {capabilities && session && !locked && (
          <>
            {jobId === null ? (
              <Compose
                capabilities={capabilities}
                settings={settings}
                onSettings={setSettings}
                onSubmitted={onSubmitted}
                onError={onError}
              />
            ) : (
              <JobPage
                key={jobId}
                id={jobId}
                onJob={onJob}
                onError={onError}
                onSubmitted={onSubmitted}
                onSameSettings={onSameSettings}
              />
            )}
            <Gallery history={history} onOpen={(id) => go(`/jobs/${id}`)} onForget={() => setHistory([])} />
          </>
        )}
      </main>
      <footer>Nothing on this page comes from elsewhere, and nothing is told to anybody.</footer>
    </>
  );
}

/** Follows a link within the page, unless it was to open elsewhere. */
function follow(event: MouseEvent, go: () => void): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go();
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="mark-ground" />
      <path d="M6 22l6-8 4 5 3-4 7 7z" class="mark-hills" />
      <path d="M21 6v9.2a3 3 0 1 1-1.6-2.6V6z" class="mark-note" />
    </svg>
  );
}
