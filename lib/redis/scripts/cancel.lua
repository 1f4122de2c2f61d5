-- cancel: cancels a task, whatever its state: a running one is told to stop, a waiting one is archived or deleted.
--
-- KEYS[1]   task           hash  the task's record
-- KEYS[2]   pending        list  task ids
-- KEYS[3]   scheduled      zset  task id -> due time, epoch seconds
-- KEYS[4]   retry          zset  task id -> due time, epoch seconds
-- KEYS[5]   due            zset  task id -> exact due time, epoch milliseconds
-- KEYS[6]   groups         set   names of groups with waiting tasks
-- KEYS[7]   archived       zset  task id -> time of archiving, epoch seconds
-- ARGV[1]   taskPrefix     a task's key is this plus its id, and the queue's locks start with it; built here, same slot
-- ARGV[2]   groupPrefix    a group's key is this plus its name; built here, same hash slot
-- ARGV[3]   taskId
-- ARGV[4]   outcome        archive, delete or retry
-- ARGV[5]   lock           the task's lock: a full key in the same hash slot, or empty
-- ARGV[6]   archivedAt     epoch seconds
-- ARGV[7]   cutoff         epoch seconds; tasks archived then or earlier are deleted
-- ARGV[8]   size           how many archived tasks are kept; the oldest beyond that are deleted
-- ARGV[9]   requestChannel
-- ARGV[10]  request        what to publish there: the task to cancel and its outcome
-- ARGV[11]  cancelChannel  where the bare id is published
--
-- Reply     SIGNALED   it is running; its worker was told, or will read it in the record, and applies `outcome`
--           ARCHIVED   done
--           DELETED    done; its lock is free
--           KEPT       it waits and `outcome` is retry, or it has ended, or is being aggregated, or a key that it must
--                      leave or enter has a wrong type
--           NOT_FOUND  no such task
-- Cost      O(log N) in waiting tasks; O(N) for a pending task, N pending tasks
local task, pending, scheduled, retry, due, groups, archived =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local taskPrefix, groupPrefix, taskId, outcome, lock = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local archivedAt, limits = ARGV[6], { cutoff = ARGV[7], size = tonumber(ARGV[8]) }
local requestChannel, request, cancelChannel = ARGV[9], ARGV[10], ARGV[11]

-- include: notices
-- include: release-lock
-- include: make-room-in-archive
-- include: write-when-full

local function leaveGroup()
  local group = redis.call('HGET', task, 'group') or ''
  if not isSound(groupPrefix .. group, 'zset') or not isSound(groups, 'set') then
    return false
  end
  if redis.call('ZREM', groupPrefix .. group, taskId) == 0 then
    return false
  end
  if redis.call('EXISTS', groupPrefix .. group) == 0 then
    redis.call('SREM', groups, group)
  end
  return true
end

local function leavePlace(state)
  if state == 'pending' then
    return isSound(pending, 'list') and redis.call('LREM', pending, 1, taskId) == 1
  elseif state == 'scheduled' or state == 'retry' then
    local set = state == 'retry' and retry or scheduled
    if isSound(due, 'zset') then
      redis.call('ZREM', due, taskId)
    end
    return isSound(set, 'zset') and redis.call('ZREM', set, taskId) == 1
  end
  return state == 'aggregating' and leaveGroup()
end

if not isSound(task, 'hash') then
  return withNotices('NOT_FOUND')
end
local state = redis.call('HGET', task, 'state')
if not state then
  return 'NOT_FOUND'
end
writeWhenFull(task)
if state == 'active' then
  redis.call('HSET', task, 'x:cancel', outcome)
  -- Servers that know the request must receive it before the bare id, which does not tell the outcome. Cancellation
  -- also works for a user who may not publish: the worker reads the record when it extends the lease.
  redis.pcall('PUBLISH', requestChannel, request)
  redis.pcall('PUBLISH', cancelChannel, taskId)
  return 'SIGNALED'
end
local mayArchive = outcome ~= 'archive' or isSound(archived, 'zset')
if outcome == 'retry' or not mayArchive or not leavePlace(state) then
  return withNotices('KEPT')
end
if outcome == 'delete' then
  redis.call('DEL', task)
  releaseLock(lock, taskId)
  return withNotices('DELETED')
end
makeRoomInArchive(archived, taskPrefix, limits, 1)
redis.call('ZADD', archived, archivedAt, taskId)
redis.call('HSET', task, 'state', 'archived')
return withNotices('ARCHIVED')
