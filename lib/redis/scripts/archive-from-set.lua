-- archive-from-set: archives tasks of an aggregation set whose records do not decode, and removes them from the set.
--
-- KEYS[1]   set           zset    task id -> time added to the group, epoch seconds
-- KEYS[2]   archived      zset    task id -> time of archiving, epoch seconds
-- KEYS[3]   processedDay  string  counter of the UTC day
-- KEYS[4]   processed     string  counter
-- KEYS[5]   failedDay     string  counter of the UTC day
-- KEYS[6]   failed        string  counter
-- ARGV[1]   taskPrefix    a task's key is this plus its id, and the queue's locks start with it; built here, same slot
-- ARGV[2]   archivedAt    epoch seconds
-- ARGV[3]   cutoff        epoch seconds; tasks archived then or earlier are deleted
-- ARGV[4]   size          how many archived tasks are kept; the oldest beyond that are deleted
-- ARGV[5]   dayExpiresAt  epoch seconds
-- ARGV[6..] tasks         three per task, at most 1,000 tasks: id; task message that replaces the stored bytes, which are kept
--                         in another field; why those do not decode
--
-- Reply     how many were archived; the others are no longer in the set
-- Cost      O((n + m) log N), n tasks given, m tasks trimmed, N archived tasks
local set, archived = KEYS[1], KEYS[2]
local counters = { processedDay = KEYS[3], processed = KEYS[4], failedDay = KEYS[5], failed = KEYS[6] }
local taskPrefix, archivedAt, limits = ARGV[1], ARGV[2], { cutoff = ARGV[3], size = tonumber(ARGV[4]) }
local dayExpiresAt = ARGV[5]

-- include: notices
-- include: release-lock
-- include: make-room-in-archive
-- include: count-processed
-- include: count-failed

local members = {}
for i = 6, #ARGV, 3 do
  local taskId, message, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local hash = taskPrefix .. taskId
  local stored = redis.call('HGET', hash, 'msg')
  if redis.call('ZREM', set, taskId) == 1 and stored then
    members[#members + 1] = archivedAt
    members[#members + 1] = taskId
    redis.call('HSET', hash, 'x:error', reason, 'x:msg', stored, 'msg', message, 'state', 'archived')
  end
end
if #members > 0 then
  makeRoomInArchive(archived, taskPrefix, limits, #members / 2)
  redis.call('ZADD', archived, unpack(members))
end
countFailed(counters, #members / 2, dayExpiresAt)
return withNotices(#members / 2)
