-- keep-locks: keeps the unique locks of a finished aggregation set's members beyond their deletion (Q-03).
--
-- KEYS[1]   set         zset    task id -> time added to the group, epoch seconds
-- KEYS[2..] locks       string  id of the task that holds the lock; locks of members, 500 at most
-- ARGV[1]   taskPrefix  a task's key is this plus its id; built here, same hash slot
--
-- Reply     KEPT
-- Cost      O(n), n locks given
local set, taskPrefix = KEYS[1], ARGV[1]

-- include: keep-locks
-- include: write-when-full

-- This takes little memory, and the members are freed afterwards.
writeWhenFull(set)
keepLocks(set, taskPrefix, 2)
return 'KEPT'
