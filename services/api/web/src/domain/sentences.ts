/** Every failure as a sentence that says what to do. */

/** An error answer of the API's (RFC 9457), or none: then the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
  }
}

export const UNREACHABLE = "unreachable";

export function unreachable(): ApiError {
  return new ApiError(
    0,
    UNREACHABLE,
    "The server can't be reached. Check the connection and try again: nothing is lost.",
  );
}

const BY_CODE: Record<string, string> = {
  not_found: "There is nothing here: it was deleted, or it belongs to another key.",
  expired: "Its files have gone, since their time was over. Compose it again from the picture.",
  picture_type_unsupported:
    "This file is no picture that can be read. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF.",
  picture_undecodable:
    "This picture is damaged. Open it in another program, save it anew, and choose that file.",
  not_authenticated: "Your key is needed, or no longer valid. Sign in again.",
};

/** What to tell of an error. The API's own details are sentences that say what to do already. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError))
    return "Something went wrong on this page. Reload it; your jobs are safe.";
  return BY_CODE[error.code] ?? error.message;
}

/** The same for those who listen by a link: they have no key, and asked for nothing else. */
export function listeningSentence(error: unknown): string {
  if (error instanceof ApiError && (error.status === 404 || error.status === 401)) {
    return "This link leads nowhere, or its session is over. Ask whoever sent it to you for another.";
  }
  if (!(error instanceof ApiError)) return "Something went wrong on this page. Reload it.";
  return error.status === 410 ? "This piece has gone. Go on to the next one." : sentenceOf(error);
}

const REMEDIES: Record<string, string> = {
  worker_lost: "Start it again; if it fails again, try a shorter piece.",
  empty_corpus: "Ask whoever runs this server for clips of these emotions, or choose another mix.",
  storage_full: "Try again later.",
};

/** Of a job that failed while it was worked on. */
export function jobSentence(error: { code: string; message: string }): string {
  const begun = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  const message = /[.!?]$/.test(begun) ? begun : `${begun}.`;
  return `${message} ${REMEDIES[error.code] ?? "Start it again, or choose another picture."}`;
}

/** Why a file can't be sent, as far as that is known beforehand; null when it can. */
export function fileComplaint(file: { size: number; type: string }, maxBytes: number): string | null {
  if (file.size === 0) return "This file is empty. Choose another.";
  if (file.type !== "" && !file.type.startsWith("image/")) return BY_CODE.picture_type_unsupported ?? null;
  if (file.size > maxBytes) {
    const [has, may] = [file.size, maxBytes].map((bytes) => (bytes / 1e6).toFixed(1));
    return `This picture has ${has} MB; ${may} MB is the most. Save it smaller, and choose that file.`;
  }
  return null;
}
