-- extend-leases: keeps running tasks from being recovered.
--
-- KEYS[1]    lease       zset   task id -> expiry, epoch seconds
-- ARGV[1]    leaseUntil  epoch seconds, from the caller's clock
-- ARGV[2..]  taskIds
--
-- Reply      array of the ids that have no lease any more; nothing was written for them
-- Cost       O(n log N), n ids given, N leased tasks of the queue
local lease = KEYS[1]
local leaseUntil = ARGV[1]

local lost = {}
for i = 2, #ARGV do
  local taskId = ARGV[i]
  if redis.call('ZSCORE', lease, taskId) then
    redis.call('ZADD', lease, 'XX', leaseUntil, taskId)
  else
    lost[#lost + 1] = taskId
  end
end
return lost
