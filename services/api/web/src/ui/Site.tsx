import { useCallback, useEffect, useState } from "preact/hooks";
import { remember, updated } from "../domain/history";
import type { Capabilities, Job, Session } from "../domain/job";
import type { Place } from "../domain/places";
import { ApiError, sentenceOf } from "../domain/sentences";
import { DEFAULTS, type Settings, settingsOf } from "../domain/settings";
import { getCapabilities, getSession, signOut } from "../io/api";
import { thumbnailOf } from "../io/picture";
import { forgetLinks, loadHistory, saveHistory } from "../io/store";
import { Alert } from "./Alert";
import { Brand } from "./Brand";
import { Compose } from "./Compose";
import { Gallery } from "./Gallery";
import { JobPage } from "./JobPage";
import { type Go, Link } from "./Link";
import { Report } from "./Report";
import { SessionPage } from "./SessionPage";
import { SessionsPage } from "./SessionsPage";
import { SignIn } from "./SignIn";
import { useTitle } from "./useTitle";

interface Props {
  place: Exclude<Place, { page: "listen" }>;
  go: Go;
}

/** The page for those who compose, with a key where the server asks for one. */
export function Site({ place, go }: Props) {
  const [session, setSession] = useState<Session | null>(null);
  const [capabilities, setCapabilities] = useState<Capabilities | null>(null);
  const [error, setError] = useState<unknown>(null);
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
  useEffect(() => void load(), [load]);
  useEffect(() => saveHistory(history), [history]);

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
    forgetLinks();
    await load();
  };

  const locked = session?.keys_required === true && !session.signed_in;
  const content = (able: Capabilities) => {
    switch (place.page) {
      case "sessions":
        return <SessionsPage go={go} onError={onError} />;
      case "session":
        return <SessionPage key={place.id} id={place.id} go={go} onError={onError} />;
      case "report":
        return <ReportPage onError={onError} />;
      case "job":
        return (
          <JobPage
            key={place.id}
            id={place.id}
            onJob={onJob}
            onError={onError}
            onSubmitted={onSubmitted}
            onSameSettings={onSameSettings}
          />
        );
      case "home":
        return (
          <Compose
            capabilities={able}
            settings={settings}
            onSettings={setSettings}
            onSubmitted={onSubmitted}
            onError={onError}
          />
        );
    }
  };
  const listed = place.page === "home" || place.page === "job";
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <Link class="wordmark" href="/" go={go}>
          <Brand />
        </Link>
        <nav aria-label="Page">
          {place.page !== "home" && !locked && (
            <Link href="/" go={go}>
              New picture
            </Link>
          )}
          {listed && !locked && <a href="#history">History</a>}
          {!locked && (
            <Link href="/listening" go={go}>
              Listening
            </Link>
          )}
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
            {content(capabilities)}
            {listed && <Gallery history={history} go={go} onForget={() => setHistory([])} />}
          </>
        )}
      </main>
      <footer>Nothing on this page comes from elsewhere, and nothing is told to anybody.</footer>
    </>
  );
}

function ReportPage({ onError }: { onError: (error: unknown) => void }) {
  useTitle("All ratings");
  return (
    <article class="session">
      <div class="lead">
        <h1>All ratings</h1>
        <p>Of every piece of yours, in listening sessions and on the pieces' own pages.</p>
      </div>
      <Report session={null} onError={onError} />
    </article>
  );
}
