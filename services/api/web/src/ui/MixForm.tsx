import type { Mix } from "../domain/job";
import { shares } from "../domain/settings";
import { accent } from "./accent";

interface Props {
  emotions: string[];
  mix: Mix | null;
  onMix: (mix: Mix | null) => void;
}

/** A mix of one's own instead of what the picture says. */
export function MixForm({ emotions, mix, onMix }: Props) {
  const shown = mix && shares(mix);
  return (
    <fieldset class="mix">
      <legend>Feelings</legend>
      <label class="check">
        <input
          type="checkbox"
          checked={mix !== null}
          onChange={(event) =>
            onMix(event.currentTarget.checked ? Object.fromEntries(emotions.map((name) => [name, 50])) : null)
          }
        />
        Choose them myself; a picture is then not needed
      </label>
      {mix && (
        <div class="grid">
          {emotions.map((name) => (
            <label class="field" key={name} style={accent(name)}>
              <span>
                {name} <output>{Math.round(100 * (shown?.[name] ?? 0))} %</output>
              </span>
              <input
                class="accented"
                type="range"
                min={0}
                max={100}
                value={mix[name] ?? 0}
                onInput={(event) => onMix({ ...mix, [name]: Number(event.currentTarget.value) })}
              />
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}
