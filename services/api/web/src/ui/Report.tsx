import { useEffect, useState } from "preact/hooks";
import type { RatingsReport } from "../domain/report";
import { sentenceOf } from "../domain/sentences";
import { getReport, reportUrl } from "../io/ratings";
import { Alert } from "./Alert";
import { FiguresTable, ListenersTable } from "./ReportTables";
import { Versions } from "./Versions";

interface Props {
  /** Null: over everything that was rated. */
  session: string | null;
  onError: (error: unknown) => void;
}

/** The thesis's tables and figure for these listeners, beside the thesis's own. */
export function Report({ session, onError }: Props) {
  const [report, setReport] = useState<RatingsReport | null>(null);
  const [versions, setVersions] = useState<[string, string] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    setError(null);
    getReport(session, versions)
      .then((found) => !gone && setReport(found))
      .catch((problem) => {
        if (gone) return;
        setError(problem);
        onError(problem);
      });
    return () => {
      gone = true;
    };
  }, [session, versions, onError]);
  const alert = error !== null && <Alert>{sentenceOf(error)}</Alert>;
  if (report === null) return alert || <p aria-busy="true">One moment…</p>;
  const url = reportUrl(session);
  return (
    <section class="report" aria-labelledby="report-title">
      <div class="row">
        <h2 id="report-title">Report</h2>
        <a class="button" href={`${url}?format=json`} download="ratings.json">
          JSON
        </a>
        <a class="button" href={`${url}?format=csv`} download="ratings.csv">
          CSV
        </a>
      </div>
      {alert}
      {report.listeners.length === 0 ? (
        <p class="hint">Nothing has been rated yet.</p>
      ) : (
        <>
          <Results report={report} />
          <div class="charts">
            <img
              src={`${url}/grades.svg?measure=quality`}
              alt="Grades for the music by listener, as in the first table"
            />
            <img
              src={`${url}/grades.svg?measure=fit`}
              alt="Grades for the fit by listener, as in the second table"
            />
          </div>
          <Versions report={report} onVersions={(a, b) => setVersions([a, b])} />
        </>
      )}
      <Reference reference={report.reference} />
    </section>
  );
}

function Results({ report: { listeners, overall } }: { report: RatingsReport }) {
  return (
    <>
      <ListenersTable
        caption="Quality of the music"
        rows={listeners.map(({ listener, quality, mean_quality }) => ({
          listener,
          counts: quality,
          mean: mean_quality,
        }))}
      />
      <ListenersTable
        caption="Fit to the picture"
        rows={listeners.map(({ listener, fit, mean_fit }) => ({ listener, counts: fit, mean: mean_fit }))}
      />
      <FiguresTable
        caption="All listeners"
        rows={[
          { name: "Quality", figures: overall.quality },
          { name: "Fit", figures: overall.fit },
        ]}
      />
      <p class="hint">
        Means are of 5 for excellent to 1 for bad. Shares have their 95 % confidence interval beside them.
        Agreement is Krippendorff's alpha for ordered grades: 1 where all agree, 0 where they do as by chance.
      </p>
    </>
  );
}

function Reference({ reference }: { reference: RatingsReport["reference"] }) {
  return (
    <details class="reference">
      <summary>The thesis's own listeners, for comparison</summary>
      <div class="report">
        <p class="hint">
          {reference.source}: {reference.listeners.length} people heard {reference.pieces} pieces.
        </p>
        <ListenersTable caption="The thesis: quality of the music" rows={reference.listeners} />
        <FiguresTable
          caption="The thesis: all listeners"
          rows={[{ name: "Quality", figures: reference.overall }]}
        />
      </div>
    </details>
  );
}
