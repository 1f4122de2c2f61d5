-- done: forgets running tasks that succeeded or were revoked.
--
-- KEYS[1]    active        list    ids of running tasks, oldest right
-- KEYS[2]    lease         zset    task id -> lease expiry, epoch seconds
-- KEYS[3]    processedDay  string  counter of the UTC day
-- KEYS[4]    processed     string  counter
-- ARGV[1]    taskPrefix    a task's hash is this and its id: built here, same hash slot
-- ARGV[2]    dayExpiresAt  epoch seconds
-- ARGV[3]    count         how many tasks, 1 to 1,000
-- ARGV[4..]  tasks         the ids, then pairs of position (from 1) and lock of those that have one: a full key in the
--                          same hash slot
--
-- Reply      array of the positions (from 1) of tasks that were not both active and leased; nothing was written for them
-- Cost       O(n log N), n tasks given, N leased tasks
local active, lease, processedDay, processed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local taskPrefix, dayExpiresAt, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local first, last = 4, 3 + count

-- include: leave-active
-- include: release-lock
-- include: count-processed

local taken, ended = leaveActive(active, lease, ARGV, first, last)
local hashes, refused = {}, {}
for i = 1, count do
  if taken[i] then
    hashes[#hashes + 1] = taskPrefix .. ARGV[3 + i]
  else
    refused[#refused + 1] = i
  end
end
if ended > 0 then
  redis.call('DEL', unpack(hashes))
end
for i = last + 1, #ARGV, 2 do
  local position = tonumber(ARGV[i])
  if taken[position] then
    releaseLock(ARGV[i + 1], ARGV[3 + position])
  end
end
countProcessed(processedDay, processed, ended, dayExpiresAt)
return refused
