-- delete-expired-completed: deletes completed tasks whose retention has ended (P-75), earliest end first, and archived
-- tasks beyond the limit, oldest first, which archiving left because they were too many for one call.
--
-- KEYS[1]  completed    zset   task id -> end of retention, epoch seconds
-- KEYS[2]  archived     zset   task id -> time of archiving, epoch seconds
-- ARGV[1]  taskPrefix   a task's key is this plus its id; built here, same hash slot
-- ARGV[2]  now          epoch seconds, from the caller's clock
-- ARGV[3]  limit        how many of each to delete at most; 1 to 250
-- ARGV[4]  archiveSize  how many archived tasks are kept
--
-- Reply    how many ids were removed from completed, or from archived if those were more
-- Cost     O(L log N), L the limit, N completed tasks of the queue
local completed, archived = KEYS[1], KEYS[2]
local taskPrefix, now, limit, archiveSize = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
-- include: notices
-- include: delete-tasks
-- include: release-lock
-- include: make-room-in-archive

local deleted = 0
if isSound(completed, 'zset') then
  local expired = redis.call('ZRANGEBYSCORE', completed, '-inf', now, 'LIMIT', 0, limit)
  if #expired > 0 then
    redis.call('ZREM', completed, unpack(expired))
    noteDropped('completed', deleteTasks(taskPrefix, expired, 'completed'))
  end
  deleted = #expired
end
if isSound(archived, 'zset') then
  local excess = math.min(redis.call('ZCARD', archived) - archiveSize, limit)
  if excess > 0 then
    noteDropped('archived', trimArchive(archived, taskPrefix, redis.call('ZRANGE', archived, 0, excess - 1)))
    deleted = math.max(deleted, excess)
  end
end
return withNotices(deleted)
