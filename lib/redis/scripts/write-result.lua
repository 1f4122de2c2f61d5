-- write-result: stores what a handler wrote, replacing an earlier result.
--
-- KEYS[1]  task    hash  the task's record
-- ARGV[1]  result  bytes
--
-- Reply    WRITTEN   stored
--          NO_TASK   there is no such task; nothing was written, so that its id stays free
-- Cost     O(1)
local task = KEYS[1]
local result = ARGV[1]

if redis.call('HEXISTS', task, 'msg') == 0 then
  return 'NO_TASK'
end
redis.call('HSET', task, 'result', result)
return 'WRITTEN'
