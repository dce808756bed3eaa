import { type Mix, percent } from "../domain/job";
import { accent } from "./accent";

/** The mix as bars with numbers. */
export function Bars({ mix, asked }: { mix: Mix; asked: boolean }) {
  return (
    <section aria-label="Feelings" class="bars">
      <h2>{asked ? "The feelings asked for" : "How it feels"}</h2>
      <dl>
        {Object.entries(mix).map(([emotion, share]) => (
          <div key={emotion} style={accent(emotion)}>
            <dt>{emotion}</dt>
            <dd>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${100 * share}%` }} />
              </span>
              {percent(share)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
