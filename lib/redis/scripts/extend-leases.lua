-- extend-leases: keeps running tasks from being recovered.
--
-- KEYS[1]    lease       zset   task id -> expiry, epoch seconds
-- ARGV[1]    leaseUntil  epoch seconds, from the caller's clock
-- ARGV[2..]  held        pairs: task id, latest expiry its holder ever asked for in epoch seconds
--
-- Reply      array of the ids whose lease is gone or was given to somebody else; nothing was written for them
-- Cost       O(n log N), n ids given, N leased tasks of the queue
local lease = KEYS[1]
local leaseUntil = ARGV[1]

local lost = {}
for i = 2, #ARGV, 2 do
  local taskId, heldUntil = ARGV[i], tonumber(ARGV[i + 1])
  local expiry = redis.call('ZSCORE', lease, taskId)
  if expiry and tonumber(expiry) <= heldUntil then
    redis.call('ZADD', lease, 'XX', leaseUntil, taskId)
  else
    lost[#lost + 1] = taskId
  end
end
return lost
