-- complete: keeps running tasks that succeeded until their retention ends.
--
-- KEYS[1]    active        list    ids of running tasks, oldest at the right
-- KEYS[2]    lease         zset    task id -> lease expiry, epoch seconds
-- KEYS[3]    completed     zset    task id -> end of retention, epoch seconds
-- KEYS[4]    processedDay  string  counter of the UTC day
-- KEYS[5]    processed     string  counter
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    dayExpiresAt  epoch seconds
-- ARGV[3]    fence         keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[4]    count         how many tasks, 1 to 1,000
-- ARGV[5..]  tasks         the ids, what the fence says about each, then five per task: task message; end of retention in
--                          epoch seconds; lock: a full key in the same hash slot, or empty; RESULT or NO_RESULT; the
--                          result, which replaces a stored one
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased or completed tasks
local completed, processedDay, processed = KEYS[3], KEYS[4], KEYS[5]
local taskPrefix, dayExpiresAt, count = ARGV[1], ARGV[2], tonumber(ARGV[4])

-- include: leave-active
-- include: release-lock
-- include: count-processed

-- Runs before any write, so that a key of a wrong type stops the script here, not midway.
redis.call('ZCARD', completed)
local taken, ended, rest = leaveActive(5)
if not taken then
  return 'LATE'
end
local kept, refused = {}, {}
for i = 1, count do
  if taken[i] then
    local taskId, at = ARGV[4 + i], rest + 5 * i - 5
    local hash = taskPrefix .. taskId
    kept[#kept + 1] = ARGV[at + 1]
    kept[#kept + 1] = taskId
    -- A key of a wrong type in place of the hash must not stop the script for the other tasks.
    if ARGV[at + 3] == 'RESULT' then
      redis.pcall('HSET', hash, 'msg', ARGV[at], 'state', 'completed', 'result', ARGV[at + 4])
    else
      redis.pcall('HSET', hash, 'msg', ARGV[at], 'state', 'completed')
    end
    redis.pcall('HDEL', hash, 'x:o', 'x:cancel')
    releaseLock(ARGV[at + 2], taskId)
  else
    refused[#refused + 1] = i
  end
end
if ended > 0 then
  redis.call('ZADD', completed, unpack(kept))
end
local _, isWrong = countProcessed(processedDay, processed, ended, dayExpiresAt)
if isWrong then
  -- include: notices
  isSound(processedDay, 'string')
  isSound(processed, 'string')
  return withNotices(refused)
end
return refused
