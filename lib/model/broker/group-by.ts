/**
 * Adds an item to the group of its key, which it begins if there is none. A call to storage concerns one queue, and a
 * script does one thing, so items are grouped by both before they are written.
 */
export function addToGroup<K, T>(groups: Map<K, T[]>, key: K, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
