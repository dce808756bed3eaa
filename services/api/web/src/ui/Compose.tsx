import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Capabilities, Job } from "../domain/job";
import { fileComplaint, sentenceOf } from "../domain/sentences";
import { type Settings, toOptions } from "../domain/settings";
import { newIdempotencyKey, submit } from "../io/api";
import { pictureIn } from "../io/picture";
import { Alert } from "./Alert";
import { PictureZone } from "./PictureZone";
import { SettingsForm } from "./SettingsForm";

interface Props {
  capabilities: Capabilities;
  settings: Settings;
  onSettings: (settings: Settings) => void;
  onSubmitted: (job: Job, picture: Blob | null) => Promise<void>;
  onError: (error: unknown) => void;
}

/** A picture and what is asked of its music. */
export function Compose({ capabilities, settings, onSettings, onSubmitted, onError }: Props) {
  const [picture, setPicture] = useState<Blob | null>(null);
  const [complaint, setComplaint] = useState<string | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  // kept until something else is asked for, so that a try after a lost answer makes no second job
  const idempotencyKey = useRef<string | null>(null);

  const choose = useCallback(
    (file: Blob | null) => {
      if (file === null) return;
      const wrong = fileComplaint(file, capabilities.picture.max_bytes);
      setComplaint(wrong);
      setPicture(wrong === null ? file : null);
      idempotencyKey.current = null;
    },
    [capabilities],
  );
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => choose(pictureIn(event.clipboardData));
    addEventListener("paste", onPaste);
    return () => removeEventListener("paste", onPaste);
  }, [choose]);

  const send = async (event: Event) => {
    event.preventDefault();
    setComplaint(null);
    setSent(0);
    idempotencyKey.current ??= newIdempotencyKey();
    try {
      const options = toOptions(settings, capabilities);
      const job = await submit({ picture, options, idempotencyKey: idempotencyKey.current }, setSent);
      idempotencyKey.current = null;
      await onSubmitted(job, picture);
    } catch (error) {
      setComplaint(sentenceOf(error));
      onError(error);
    } finally {
      setSent(null);
    }
  };
  const ready = picture !== null || settings.mix !== null;
  return (
    <section class="compose" aria-labelledby="compose-title">
      <div class="lead">
        <h1 id="compose-title">A picture in, its music out</h1>
        <p>Scenescore looks at how a scene feels, and composes a new piece that is meant to feel the same.</p>
      </div>
      <form onSubmit={(event) => void send(event)}>
        <PictureZone picture={picture} onPicture={choose} onRemove={() => setPicture(null)} />
        <SettingsForm
          capabilities={capabilities}
          settings={settings}
          onSettings={(changed) => {
            idempotencyKey.current = null;
            onSettings(changed);
          }}
        />
        {complaint !== null && <Alert>{complaint}</Alert>}
        <div class="send">
          <button type="submit" class="primary large" disabled={!ready || sent !== null}>
            {sent === null ? "Compose" : "Sending…"}
          </button>
          {sent === null ? (
            !ready && <span class="hint">Choose a picture first.</span>
          ) : (
            <progress aria-label="Sending the picture" value={sent} max={1} />
          )}
        </div>
      </form>
    </section>
  );
}
