import { type Draft, GRADES, type Grade, gradeName } from "../domain/ratings";

interface Props {
  draft: Draft;
  hasPicture: boolean;
  onDraft: (draft: Draft) => void;
}

/** The two questions, five grades each. */
export function GradeFields({ draft, hasPicture, onDraft }: Props) {
  return (
    <div class="questions">
      <Scale
        name="quality"
        question="How good is the music?"
        value={draft.quality}
        onValue={(quality) => onDraft({ ...draft, quality })}
      />
      {hasPicture && (
        <Scale
          name="fit"
          question="How well does it fit the picture?"
          value={draft.fit}
          onValue={(fit) => onDraft({ ...draft, fit })}
        />
      )}
    </div>
  );
}

interface ScaleProps {
  name: string;
  question: string;
  value: Grade | null;
  onValue: (grade: Grade) => void;
}

function Scale({ name, question, value, onValue }: ScaleProps) {
  return (
    <fieldset class="scale">
      <legend>{question}</legend>
      <div class="scale-grades">
        {GRADES.map((grade) => (
          <label key={grade}>
            <input
              type="radio"
              name={name}
              value={grade}
              checked={grade === value}
              onChange={() => onValue(grade)}
            />
            {gradeName(grade)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
