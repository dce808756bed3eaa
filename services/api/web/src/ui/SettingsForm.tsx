import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Capabilities } from "../domain/job";
import { INSTRUMENTS, isTaken, KEYS, type OptionName, rangeOf, type Settings } from "../domain/settings";
import { downloadsAtOnce, setDownloadsAtOnce } from "../io/store";
import { MixForm } from "./MixForm";

interface Props {
  capabilities: Capabilities;
  settings: Settings;
  onSettings: (settings: Settings) => void;
}

/** What may be asked of the music, folded away. A control is there only where the server takes the option. */
export function SettingsForm({ capabilities, settings, onSettings }: Props) {
  const [atOnce, setAtOnce] = useState(downloadsAtOnce);
  const set = (changed: Partial<Settings>) => onSettings({ ...settings, ...changed });
  const number = (name: OptionName, children: (range: { min: number; max: number }) => ComponentChildren) => {
    const range = rangeOf(capabilities, name);
    return range && children(range);
  };
  return (
    <details class="settings">
      <summary>Options</summary>
      <div class="grid">
        {number("seconds", ({ min, max }) => (
          <label class="field">
            <span>
              Length <output>{settings.seconds} s</output>
            </span>
            <input
              type="range"
              min={min}
              max={max}
              step={5}
              value={settings.seconds}
              onInput={(event) => set({ seconds: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
        {number("temperature", ({ min, max }) => (
          <label class="field">
            <span>
              Daring <output>{settings.temperature ?? "as usual"}</output>
            </span>
            <input
              type="range"
              min={min}
              max={max}
              step={0.1}
              value={settings.temperature ?? 1}
              onInput={(event) => set({ temperature: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
        {number("seed", ({ min, max }) => (
          <NumberField
            label="Seed"
            hint="the same again gives the same music"
            empty="a new one"
            range={{ min, max }}
            value={settings.seed}
            onValue={(seed) => set({ seed })}
          />
        ))}
        {number("tempo_bpm", (range) => (
          <NumberField
            label="Tempo"
            hint="quarter notes a minute"
            empty="as the picture feels"
            range={range}
            value={settings.tempo_bpm}
            onValue={(tempo_bpm) => set({ tempo_bpm })}
          />
        ))}
        {isTaken(capabilities, "key") && (
          <Choice
            label="Key"
            empty="As the picture feels"
            values={KEYS}
            value={settings.key}
            onValue={(key) => set({ key })}
          />
        )}
        {isTaken(capabilities, "instrument") && (
          <Choice
            label="Instrument"
            empty="Piano"
            values={INSTRUMENTS}
            value={settings.instrument}
            onValue={(instrument) => set({ instrument })}
          />
        )}
        {number("variations", ({ min, max }) => (
          <label class="field">
            <span>
              Pieces <output>{settings.variations}</output>
            </span>
            <input
              type="range"
              min={min}
              max={max}
              value={settings.variations}
              onInput={(event) => set({ variations: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
      </div>
      {isTaken(capabilities, "emotions") && (
        <MixForm emotions={capabilities.emotions} mix={settings.mix} onMix={(mix) => set({ mix })} />
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={atOnce}
          onChange={(event) => {
            setAtOnce(event.currentTarget.checked);
            setDownloadsAtOnce(event.currentTarget.checked);
          }}
        />
        Download the MIDI by itself as soon as it is there
      </label>
    </details>
  );
}

interface NumberProps {
  label: string;
  hint: string;
  empty: string;
  range: { min: number; max: number };
  value: number | null;
  onValue: (value: number | null) => void;
}

function NumberField({ label, hint, empty, range, value, onValue }: NumberProps) {
  return (
    <label class="field">
      <span>
        {label} <small>{hint}</small>
      </span>
      <input
        type="number"
        inputMode="numeric"
        min={range.min}
        max={range.max}
        step={1}
        placeholder={empty}
        value={value ?? ""}
        onInput={(event) => {
          const text = event.currentTarget.value;
          onValue(text === "" ? null : Number(text));
        }}
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  empty: string;
  values: string[];
  value: string | null;
  onValue: (value: string | null) => void;
}

function Choice({ label, empty, values, value, onValue }: ChoiceProps) {
  const known = value === null || values.includes(value) ? values : [value, ...values];
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value ?? ""} onChange={(event) => onValue(event.currentTarget.value || null)}>
        <option value="">{empty}</option>
        {known.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
