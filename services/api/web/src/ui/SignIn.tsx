import { useState } from "preact/hooks";
import { sentenceOf } from "../domain/sentences";
import { signIn } from "../io/api";
import { Alert } from "./Alert";

export function SignIn({ onSignedIn }: { onSignedIn: () => Promise<void> }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signIn(key.trim());
      await onSignedIn();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card narrow" aria-labelledby="sign-in">
      <h1 id="sign-in">Sign in with a key</h1>
      <p>
        This server asks for a key. Whoever runs it makes one with <code>scenescore keys create NAME</code>.
        The page does not keep it: it becomes a session of this browser.
      </p>
      <form onSubmit={(event) => void send(event)}>
        <label class="field">
          <span>Your key</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            placeholder="scs_…"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        {error !== null && <Alert>{keySentence(error)}</Alert>}
        <button type="submit" class="primary" disabled={busy || key.trim() === ""}>
          Sign in
        </button>
      </form>
    </section>
  );
}

function keySentence(error: unknown): string {
  const known = (error as { status?: number }).status === 401;
  return known
    ? "This key is not known here, or was revoked. Check it, or ask for a new one."
    : sentenceOf(error);
}
