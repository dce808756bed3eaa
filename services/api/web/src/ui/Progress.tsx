import { type Following, sentence, stages } from "../domain/following";
import { isEnded } from "../domain/job";

interface Props {
  following: Following;
  hasPicture: boolean;
  live: boolean;
  onCancel: (() => void) | null;
  busy: boolean;
}

export function Progress({ following, hasPicture, live, onCancel, busy }: Props) {
  const ended = isEnded(following.status);
  return (
    <div class="progress" data-status={following.status}>
      {!ended && (
        <ol class="steps">
          {stages(following, hasPicture).map((step) => (
            <li key={step.step} class={step.stage} aria-current={step.stage === "now" ? "step" : undefined}>
              {step.name}
            </li>
          ))}
        </ol>
      )}
      {!ended && <progress aria-label="Progress of the job" value={following.progress} max={1} />}
      <div class="row">
        <p role="status">{sentence(following)}</p>
        {onCancel && (
          <button type="button" class="quiet" disabled={busy} onClick={onCancel}>
            Stop
          </button>
        )}
      </div>
      {!live && !ended && (
        <p class="note" role="status">
          The connection to the server was lost; the job goes on there. Trying again…
        </p>
      )}
    </div>
  );
}
