-- archive: archives running tasks that failed for good.
--
-- KEYS[1]    active        list    ids of running tasks, oldest at the right
-- KEYS[2]    lease         zset    task id -> lease expiry, epoch seconds
-- KEYS[3]    archived      zset    task id -> time of archiving, epoch seconds
-- KEYS[4]    processedDay  string  counter of the UTC day
-- KEYS[5]    processed     string  counter
-- KEYS[6]    failedDay     string  counter of the UTC day
-- KEYS[7]    failed        string  counter
-- ARGV[1]    taskPrefix    a task's key is this plus its id, and the queue's locks start with it; built here, same slot
-- ARGV[2]    archivedAt    epoch seconds
-- ARGV[3]    cutoff        epoch seconds; tasks archived then or earlier are deleted
-- ARGV[4]    size          how many archived tasks are kept; the oldest beyond that are deleted
-- ARGV[5]    dayExpiresAt  epoch seconds
-- ARGV[6]    fence         keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[7]    count         how many tasks, 1 to 1,000
-- ARGV[8..]  tasks         the ids, what the fence says about each, then two per task: task message; empty, or why
--                          its record does not decode: the stored bytes are then kept in another field
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O((n + m) log N), n tasks given, m tasks trimmed, N leased or archived tasks
local archived = KEYS[3]
local counters = { processedDay = KEYS[4], processed = KEYS[5], failedDay = KEYS[6], failed = KEYS[7] }
local taskPrefix, archivedAt, limits = ARGV[1], ARGV[2], { cutoff = ARGV[3], size = tonumber(ARGV[4]) }
local dayExpiresAt, count = ARGV[5], tonumber(ARGV[7])

-- include: leave-active
-- include: notices
-- include: release-lock
-- include: make-room-in-archive
-- include: count-processed
-- include: count-failed

-- Runs before any write, so that a key of a wrong type stops the script here, not midway.
redis.call('ZCARD', archived)
local taken, ended, rest = leaveActive(8)
if not taken then
  return 'LATE'
end
local members, refused = {}, {}
for i = 1, count do
  if taken[i] then
    local at = rest + 2 * i - 2
    local hash, reason = taskPrefix .. ARGV[7 + i], ARGV[at + 1]
    members[#members + 1] = archivedAt
    members[#members + 1] = ARGV[7 + i]
    -- A key of a wrong type in place of the hash must not stop the script for the other tasks.
    if reason ~= '' then
      redis.pcall('HSET', hash, 'x:error', reason, 'x:msg', redis.pcall('HGET', hash, 'msg') or '')
    end
    redis.pcall('HSET', hash, 'msg', ARGV[at], 'state', 'archived')
    redis.pcall('HDEL', hash, 'x:o', 'x:cancel')
  else
    refused[#refused + 1] = i
  end
end
if ended > 0 then
  makeRoomInArchive(archived, taskPrefix, limits, ended)
  redis.call('ZADD', archived, unpack(members))
  countFailed(counters, ended, dayExpiresAt)
end
return withNotices(refused)
