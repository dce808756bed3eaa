import type { ComponentChildren } from "preact";
import { GRADES, gradeName } from "../domain/ratings";
import { type Counts, countOf, type Figures, written, writtenShare } from "../domain/report";

function Table({
  caption,
  heads,
  children,
}: {
  caption: string;
  heads: string[];
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="table" tabIndex={0} aria-label={caption}>
      <table class="figures">
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

interface ListenersProps {
  caption: string;
  rows: { listener: string; counts: Counts | null; mean: number | null }[];
}

/** How often each listener gave each grade, as the thesis's tables 7.1 to 7.3. */
export function ListenersTable({ caption, rows }: ListenersProps) {
  return (
    <Table caption={caption} heads={["Listener", ...GRADES.map(gradeName), "Mean"]}>
      {rows.map(({ listener, counts, mean }, index) => (
        <tr key={index}>
          <th scope="row">{listener}</th>
          {GRADES.map((grade) => (
            <td key={grade}>{counts?.[grade] ?? 0}</td>
          ))}
          <td>{written(mean)}</td>
        </tr>
      ))}
    </Table>
  );
}

interface FiguresProps {
  caption: string;
  rows: { name: string; figures: Figures }[];
}

export function FiguresTable({ caption, rows }: FiguresProps) {
  return (
    <Table caption={caption} heads={["", "Ratings", "Mean", "Fair or better", "Agreement"]}>
      {rows.map(({ name, figures }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>{countOf(figures.counts)}</td>
          <td>{written(figures.mean)}</td>
          <td class="share">{writtenShare(figures.fair_or_better)}</td>
          <td>{written(figures.alpha)}</td>
        </tr>
      ))}
    </Table>
  );
}
