-- done: deletes running tasks that succeeded or were revoked.
--
-- KEYS[1]    active        list    ids of running tasks, oldest at the right
-- KEYS[2]    lease         zset    task id -> lease expiry, epoch seconds
-- KEYS[3]    processedDay  string  counter of the UTC day
-- KEYS[4]    processed     string  counter
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    dayExpiresAt  epoch seconds
-- ARGV[3]    fence         keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[4]    count         how many tasks, 1 to 1,000
-- ARGV[5..]  tasks         the ids, what the fence says about each, then pairs of position (from 1) and lock of those that
--                          have one: a full key in the same hash slot
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased tasks
local processedDay, processed = KEYS[3], KEYS[4]
local taskPrefix, dayExpiresAt, count = ARGV[1], ARGV[2], tonumber(ARGV[4])

-- include: leave-active
-- include: release-lock
-- include: count-processed

local taken, ended, rest = leaveActive(5)
if not taken then
  return 'LATE'
end
local hashes, refused = {}, {}
for i = 1, count do
  if taken[i] then
    hashes[#hashes + 1] = taskPrefix .. ARGV[4 + i]
  else
    refused[#refused + 1] = i
  end
end
if ended > 0 then
  redis.call('DEL', unpack(hashes))
end
for i = rest, #ARGV, 2 do
  local position = tonumber(ARGV[i])
  if taken[position] then
    releaseLock(ARGV[i + 1], ARGV[4 + position])
  end
end
local _, isWrong = countProcessed(processedDay, processed, ended, dayExpiresAt)
if isWrong then
  -- include: notices
  isSound(processedDay, 'string')
  isSound(processed, 'string')
  return withNotices(refused)
end
return refused
