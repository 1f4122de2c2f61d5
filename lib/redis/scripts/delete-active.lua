-- delete-active: forgets running tasks that were canceled for good. Nothing is counted.
--
-- KEYS[1]    active      list   ids of running tasks, oldest right
-- KEYS[2]    lease       zset   task id -> lease expiry, epoch seconds
-- ARGV[1]    taskPrefix  a task's hash is this and its id: built here, same hash slot
-- ARGV[2]    count       how many tasks, 1 to 1,000
-- ARGV[3..]  tasks       the ids, then two a task: lock: a full key in the same hash slot, or empty; the lease's end in
--                        epoch seconds, or empty for any
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased so; nothing was written for them
-- Cost       O(n log N), n tasks given, N leased tasks
local active, lease = KEYS[1], KEYS[2]
local taskPrefix, count = ARGV[1], tonumber(ARGV[2])
local first, last = 3, 2 + count

-- include: leave-active
-- include: release-lock

local leases = {}
for i = 1, count do
  leases[i] = ARGV[last + 2 * i]
end
local taken = leaveActive(active, lease, ARGV, first, last, leases)
local refused = {}
for i = 1, count do
  if taken[i] then
    local taskId = ARGV[2 + i]
    redis.call('DEL', taskPrefix .. taskId)
    releaseLock(ARGV[last + 2 * i - 1], taskId)
  else
    refused[#refused + 1] = i
  end
end
return refused
