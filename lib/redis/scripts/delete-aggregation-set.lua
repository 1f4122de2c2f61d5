-- delete-aggregation-set: deletes a set with all its tasks (P-99), oldest first, 500 per call. Their unique locks
-- stay (Q-03) until they expire or an equal task takes them over.
--
-- KEYS[1]  set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- ARGV[1]  taskPrefix       a task's key is this plus its id; built here, same hash slot
--
-- Reply    DELETED          the set is gone, even if it had returned to its group
--          MORE             others are left: call again
-- Cost     O(log N), N members, 500 of which are deleted
local set, aggregationSets, taskPrefix = KEYS[1], KEYS[2], ARGV[1]

-- include: delete-tasks
-- include: notices
-- include: delete-members

return withNotices(deleteMembers(set, aggregationSets, taskPrefix) and 'DELETED' or 'MORE')
