import { useState } from "preact/hooks";
import { type ListeningSession, progressOf } from "../domain/listening";
import { sentenceOf } from "../domain/sentences";
import { listSessions, makeSession, type NewSession } from "../io/ratings";
import { rememberLink } from "../io/store";
import { Alert } from "./Alert";
import { type Go, Link } from "./Link";
import { SessionForm } from "./SessionForm";
import { useList } from "./useList";
import { useTitle } from "./useTitle";

interface Props {
  go: Go;
  onError: (error: unknown) => void;
}

/** The owner's listening sessions, and a new one. */
export function SessionsPage({ go, onError }: Props) {
  const { found, more, error } = useList(listSessions, onError);
  const [making, setMaking] = useState(false);
  useTitle("Listening");

  const make = async (session: NewSession) => {
    const made = await makeSession(session);
    if (made.link) rememberLink(made.id, made.link);
    go(`/listening/${made.id}`);
  };
  return (
    <section class="sessions" aria-labelledby="sessions-title">
      <div class="lead">
        <h1 id="sessions-title">Listening sessions</h1>
        <p>
          A link that needs no key: whoever has it hears your pieces in an order of their own, sees nothing of
          how they were made, and grades them. The report says what came of it.
        </p>
      </div>
      {making ? (
        <SessionForm onMake={make} onClose={() => setMaking(false)} onError={onError} />
      ) : (
        <div class="row">
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            Make a session
          </button>
          <Link class="button" href="/listening/all" go={go}>
            Report of all ratings
          </Link>
        </div>
      )}
      {error !== null && <Alert>{sentenceOf(error)}</Alert>}
      {found === null ? (
        error === null && <p aria-busy="true">One moment…</p>
      ) : found.length === 0 ? (
        <p class="hint">There is no session yet.</p>
      ) : (
        <ul class="cards">
          {found.map((session) => (
            <li key={session.id}>
              <Summary session={session} go={go} />
            </li>
          ))}
        </ul>
      )}
      {more && (
        <button type="button" class="quiet" onClick={more}>
          Show older ones
        </button>
      )}
    </section>
  );
}

function Summary({ session, go }: { session: ListeningSession; go: Go }) {
  const { rated, of } = progressOf(session);
  const listeners = session.listeners.length;
  return (
    <Link class="card" href={`/listening/${session.id}`} go={go}>
      <strong>{session.title}</strong>
      <small>
        {session.jobs.length} {session.jobs.length === 1 ? "piece" : "pieces"} ·{" "}
        {listeners === 0
          ? "nobody has listened yet"
          : `${listeners} ${listeners === 1 ? "listener" : "listeners"}, ${rated} of ${of} ratings`}{" "}
        · {new Date(session.created_at).toLocaleDateString(undefined, { dateStyle: "medium" })}
      </small>
    </Link>
  );
}
