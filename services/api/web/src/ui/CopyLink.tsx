import { useState } from "preact/hooks";

interface Props {
  link: string;
  /** What to do where the browser lets no page copy. */
  otherwise: string;
}

export function CopyLink({ link, otherwise }: Props) {
  const [told, setTold] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      setTold("Copied.");
    } catch {
      setTold(otherwise);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        Copy the link
      </button>
      <span class="hint" role="status">
        {told}
      </span>
    </>
  );
}
