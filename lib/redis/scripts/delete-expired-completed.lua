-- delete-expired-completed: deletes completed tasks whose retention has ended (spec/01 §5.20), the oldest end first.
--
-- KEYS[1]  completed    zset   task id -> end of retention, epoch seconds
-- ARGV[1]  taskPrefix   of task hashes (hash); their keys are built here and share the queue's slot
-- ARGV[2]  now          epoch seconds, from the caller's clock
-- ARGV[3]  limit        how many to delete at most; 1 to 1,000
--
-- Reply    how many ids were taken out of completed
-- Cost     O(L log N), L the limit, N completed tasks of the queue
local completed = KEYS[1]
local taskPrefix, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- include: delete-tasks

local expired = redis.call('ZRANGEBYSCORE', completed, '-inf', now, 'LIMIT', 0, limit)
if #expired > 0 then
  redis.call('ZREM', completed, unpack(expired))
  deleteTasks(taskPrefix, expired, 'completed')
end
return #expired
