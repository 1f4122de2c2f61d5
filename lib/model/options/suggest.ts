/**
 * Returns the known name that was probably meant by an unknown one: at most a third of its letters differ. Swapped
 * adjacent letters count once, and letter case does not count.
 *
 * @example
 * suggest('shutdownTimout', ['shutdownTimeout', 'timeout']) // 'shutdownTimeout'
 */
export function suggest(unknown: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(2, Math.floor(unknown.length / 3)) + 1;
  for (const name of known) {
    // A name that is this much longer or shorter cannot be close; long unknown names must not cost time.
    if (Math.abs(name.length - unknown.length) >= fewest) continue;
    const edits = editDistance(unknown.toLowerCase(), name.toLowerCase());
    if (edits < fewest && edits < name.length) {
      fewest = edits;
      nearest = name;
    }
  }
  return nearest;
}

/** Counts the insertions, deletions, replacements and swaps of adjacent letters that turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = from[row - 1] === to[column - 1] ? 0 : 1;
      let edits = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + replaced,
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        edits = Math.min(edits, (beforeLast[column - 2] as number) + 1);
      }
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] as number;
}
