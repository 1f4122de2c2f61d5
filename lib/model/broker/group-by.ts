/**
 * Adds an item to its group, which begins with it. A call to storage is about one queue, and a script does one kind of
 * thing, so what is to be written is grouped by them first.
 */
export function addToGroup<K, T>(groups: Map<K, T[]>, key: K, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
