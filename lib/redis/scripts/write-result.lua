-- write-result: stores a handler's result, replacing an earlier one.
--
-- KEYS[1]  task        hash  the task's record
-- KEYS[2]  lease       zset  task id -> lease expiry, epoch seconds
-- ARGV[1]  taskId
-- ARGV[2]  note        who took the task and when, as its record says
-- ARGV[3]  leaseAsked  epoch seconds; the latest end of the lease that was asked for
-- ARGV[4]  result      bytes
--
-- Reply    WRITTEN     stored
--          NOT_ACTIVE  there is no such task, or it no longer belongs to this run: its record names another run or its
--                      lease ends later. Nothing was written
-- Cost     O(1)
local task, lease = KEYS[1], KEYS[2]
local taskId, note, leaseAsked, result = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local stored = redis.call('HMGET', task, 'msg', 'x:o')
local leaseEnd = redis.call('ZSCORE', lease, taskId)
if not stored[1] or stored[2] ~= note or leaseEnd and tonumber(leaseEnd) > leaseAsked then
  return 'NOT_ACTIVE'
end
redis.call('HSET', task, 'result', result)
return 'WRITTEN'
