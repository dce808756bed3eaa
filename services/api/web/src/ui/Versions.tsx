import { type Comparison, chosenVersions, type RatingsReport, verdict } from "../domain/report";
import { FiguresTable } from "./ReportTables";

interface Props {
  report: RatingsReport;
  /** Asks to compare these two. */
  onVersions: (a: string, b: string) => void;
}

/** What was said of the pieces of each version of the models, and how two of them compare. */
export function Versions({ report, onVersions }: Props) {
  const { by_version: versions, comparison } = report;
  return (
    <>
      {(["quality", "fit"] as const).map((measure) => (
        <FiguresTable
          key={measure}
          caption={`${measure === "quality" ? "Quality" : "Fit"} by version of the models`}
          rows={versions.map((each) => ({ name: each.version, figures: each[measure] }))}
        />
      ))}
      {comparison && (
        <Compared
          comparison={comparison}
          names={versions.map((each) => each.version)}
          onVersions={onVersions}
        />
      )}
    </>
  );
}

interface ComparedProps {
  comparison: Comparison;
  names: string[];
  onVersions: Props["onVersions"];
}

function Compared({ comparison, names, onVersions }: ComparedProps) {
  const choose = (place: "a" | "b") => (name: string) =>
    onVersions(...chosenVersions(comparison, place, name));
  return (
    <section class="compared" aria-labelledby="compared-title">
      <h3 id="compared-title">Two versions compared</h3>
      <div class="grid">
        <Choice label="The first" names={names} value={comparison.a} onValue={choose("a")} />
        <Choice label="The second" names={names} value={comparison.b} onValue={choose("b")} />
      </div>
      <div role="status">
        <p>Quality: {verdict(comparison.quality)}</p>
        <p>Fit: {verdict(comparison.fit)}</p>
      </div>
    </section>
  );
}

interface ChoiceProps {
  label: string;
  names: string[];
  value: string;
  onValue: (name: string) => void;
}

function Choice({ label, names, value, onValue }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
