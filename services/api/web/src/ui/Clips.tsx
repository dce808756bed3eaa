import type { Job } from "../domain/job";
import { accent } from "./accent";

/** Where the music comes from: who made it, and the clips that were drawn, with their licences. */
export function Clips({ job }: { job: Job }) {
  const { clips = [], classifier, composer, corpus } = job.provenance;
  if (!composer && clips.length === 0) return null;
  const makers = [
    ["Looked at by", classifier],
    ["Composed by", composer],
    ["Corpus", corpus],
  ].filter(([, name]) => name);
  return (
    <details class="clips">
      <summary>{clips.length > 0 ? `Learnt from ${clips.length} clips` : "How it was made"}</summary>
      <dl class="makers">
        {makers.map(([what, name]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{name}</dd>
          </div>
        ))}
      </dl>
      {clips.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section class="table" tabIndex={0} aria-label="The clips">
          <table>
            <thead>
              <tr>
                <th scope="col">Title</th>
                <th scope="col">Feeling</th>
                <th scope="col">Licence</th>
              </tr>
            </thead>
            <tbody>
              {clips.map((clip) => (
                <tr key={clip.id}>
                  <td>{clip.title}</td>
                  <td>
                    <span class="dot" style={accent(clip.emotion)} aria-hidden="true" /> {clip.emotion}
                  </td>
                  <td>{clip.licence}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
