-- delete-active: deletes running tasks that were canceled for good. Nothing is counted.
--
-- KEYS[1]    active      list   ids of running tasks, oldest at the right
-- KEYS[2]    lease       zset   task id -> lease expiry, epoch seconds
-- ARGV[1]    taskPrefix  a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    fence       keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[3]    count       how many tasks, 1 to 1,000
-- ARGV[4..]  tasks       the ids, what the fence says about each, then one per task: lock, a full key in the same hash slot,
--                        or empty
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased tasks
local taskPrefix, count = ARGV[1], tonumber(ARGV[3])

-- include: leave-active
-- include: release-lock

local taken, _, rest = leaveActive(4)
if not taken then
  return 'LATE'
end
local refused = {}
for i = 1, count do
  if taken[i] then
    local taskId = ARGV[3 + i]
    redis.call('DEL', taskPrefix .. taskId)
    releaseLock(ARGV[rest + i - 1], taskId)
  else
    refused[#refused + 1] = i
  end
end
return refused
