-- delete-aggregation-set: deletes a set with all its tasks (P-99). Their unique locks stay (Q-03)
-- until their time is over, or until an equal task takes them over.
--
-- KEYS[1]  set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- ARGV[1]  taskPrefix       of task hashes (hash); their keys are built here and share the queue's slot
--
-- Reply    how many members the set had; 0 also when it went back to its group before
-- Cost     O(N), N members
local set, aggregationSets = KEYS[1], KEYS[2]
local taskPrefix = ARGV[1]
-- include: delete-tasks
-- include: notices

local size, missing = redis.call('ZCARD', set), 0
for first = 0, size - 1, 1000 do
  local page = redis.call('ZRANGE', set, first, first + 999)
  missing = missing + deleteTasks(taskPrefix, page, 'aggregating')
end
redis.call('DEL', set)
redis.call('ZREM', aggregationSets, set)
noteDropped('group', missing)
return withNotices(size)
