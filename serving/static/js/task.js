// Follows a request to the pipeline until it has ended.

const ENDS = ["succeeded", "failed", "expired"];
const FIRST_MS = 200;
const LONGEST_MS = 2000;

// The task as it ended, or `{ state: "unknown" }`; null when `signal` ended it. `progressed` is called with
// the task each time it was read.
export async function outcome(statusUrl, progressed, signal) {
  for (let wait = FIRST_MS; ; wait = Math.min(LONGEST_MS, wait * 1.3)) {
    const task = await read(statusUrl);
    if (signal?.aborted) return null;
    if (task) progressed(task);
    if (task && (ENDS.includes(task.state) || task.state === "unknown")) return task;
    await pause(wait);
    if (signal?.aborted) return null;
  }
}

export function pause(milliseconds) {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}

// Null when its state cannot be read now: a later attempt may succeed.
async function read(statusUrl) {
  try {
    const answer = await fetch(statusUrl, { cache: "no-store", headers: { Accept: "application/json" } });
    const task = await answer.json();
    if (answer.status === 404) return { state: "unknown" };
    return answer.ok ? task : null;
  } catch {
    return null;
  }
}
