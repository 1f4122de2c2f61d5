-- requeue: puts running tasks back at the head of their queue; of several, the first one given runs next.
--
-- KEYS[1]    active        list   ids of running tasks, oldest at the right
-- KEYS[2]    lease         zset   task id -> lease expiry, epoch seconds
-- KEYS[3]    pending       list   task ids, next to run at the right
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    pendingSince  epoch nanoseconds, decimal text
-- ARGV[3]    wakeChannel
-- ARGV[4]    queue
-- ARGV[5]    fence         keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[6]    count         how many tasks, 1 to 1,000
-- ARGV[7..]  tasks         the ids, what the fence says about each, then one per task: task message, written only if the
--                          stored one is gone
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased tasks
local pending = KEYS[3]
local taskPrefix, pendingSince, wakeChannel, queue = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local count = tonumber(ARGV[6])

-- include: leave-active

-- Runs before any write, so that a key of a wrong type stops the script here, not midway.
redis.call('LLEN', pending)
local taken, ended, rest = leaveActive(7)
if not taken then
  return 'LATE'
end
local taskIds, refused = {}, {}
for i = count, 1, -1 do
  if taken[i] then
    local hash = taskPrefix .. ARGV[6 + i]
    taskIds[#taskIds + 1] = ARGV[6 + i]
    -- A key of a wrong type in place of the hash must not stop the script for the other tasks.
    redis.pcall('HSETNX', hash, 'msg', ARGV[rest + i - 1])
    redis.pcall('HSET', hash, 'state', 'pending', 'pending_since', pendingSince)
    redis.pcall('HDEL', hash, 'x:o', 'x:cancel')
  else
    refused[#refused + 1] = i
  end
end
if ended > 0 and redis.call('RPUSH', pending, unpack(taskIds)) == ended then
  -- A user without permission to publish must still be able to requeue.
  redis.pcall('PUBLISH', wakeChannel, queue)
end
return refused
