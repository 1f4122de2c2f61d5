-- forward-due: moves due tasks to pending, or to their group (P-46), earliest due first.
--
-- KEYS[1]  scheduled      zset    task id -> due time, epoch seconds
-- KEYS[2]  retry          zset    task id -> due time, epoch seconds
-- KEYS[3]  due            zset    task id -> exact due time, epoch milliseconds
-- KEYS[4]  pending        list    task ids, next to run at the right
-- KEYS[5]  groups         set     names of groups with waiting tasks
-- KEYS[6]  archived       zset    task id -> time of archiving, epoch seconds
-- ARGV[1]  queue
-- ARGV[2]  taskPrefix     a task's key is this plus its id; built here, same hash slot
-- ARGV[3]  groupPrefix    a group's key is this plus its name; built here, same hash slot
-- ARGV[4]  now            epoch milliseconds, from the caller's clock
-- ARGV[5]  limit          how many tasks to move at most; 1 to 500
-- ARGV[6]  wakeChannel    receives the queue's name when pending was empty
-- ARGV[7]  archiveCutoff  epoch seconds; tasks archived then or earlier are deleted
-- ARGV[8]  archiveSize    how many archived tasks are kept
--
-- Reply    array: how many were moved to pending or to a group; due time of the next task, epoch milliseconds, or ''
--          when none waits
-- Cost     O(L log N), L the limit, N delayed tasks of the queue
local scheduled, retry, due, pending, groups, archived = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local queue, taskPrefix, groupPrefix = ARGV[1], ARGV[2], ARGV[3]
local nowText, now, limit, wakeChannel = ARGV[4], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local archiveLimits = { cutoff = ARGV[7], size = tonumber(ARGV[8]) }
-- include: notices
-- include: release-lock
-- include: make-room-in-archive
-- include: exact-due

local exactDue = exactDueOf(scheduled, retry, due)

-- Candidates: tasks that are due by their score, and those due within the current second. Scores and exact times have
-- the same order, so the first `limit` of each contain the first `limit` of all.
local waiting = {}
for _, set in ipairs({ scheduled, retry }) do
  if isSound(set, 'zset') then
    waiting[#waiting + 1] = set
  end
end
local hasDue = #waiting == 2 and isSound(due, 'zset')
-- Stale members may push others beyond the limit: those stay due, and the next call finds them.
local exactIds, exactDueAts, inRetry = {}, {}, {}
if hasDue then
  exactIds, exactDueAts, inRetry =
    exactDue(redis.call('ZRANGEBYSCORE', due, '-inf', nowText, 'WITHSCORES', 'LIMIT', 0, limit))
end
local sources = {}
for _, set in ipairs(waiting) do
  local page = redis.call('ZRANGEBYSCORE', set, '-inf', now / 1000, 'WITHSCORES', 'LIMIT', 0, limit)
  sources[#sources + 1] = { page = page, at = 1, isRetry = set == retry, dueAt = page[2] and tonumber(page[2]) * 1000 }
end

-- All three are sorted: the earliest of their first members is next; if equal, the one with an exact time.
local taken, isRetried, known, count, exactAt = {}, {}, {}, 0, 1
while count < limit do
  local earliest, source = exactDueAts[exactAt], nil
  for i = 1, #sources do
    local dueAt = sources[i].dueAt
    if dueAt and (not earliest or dueAt < earliest) then
      earliest, source = dueAt, sources[i]
    end
  end
  local taskId, isRetry
  if source then
    local page, at = source.page, source.at
    taskId, isRetry = page[at], source.isRetry
    source.at = at + 2
    local score = page[at + 3]
    -- Usually the same as before.
    if score ~= page[at + 1] then
      source.dueAt = score and tonumber(score) * 1000
    end
  elseif earliest then
    taskId, isRetry = exactIds[exactAt], inRetry[exactAt]
    exactAt = exactAt + 1
  else
    break
  end
  if not known[taskId] then
    known[taskId] = true
    count = count + 1
    taken[count], isRetried[count] = taskId, isRetry
  end
end

local ready, archive, grouped, lost = {}, {}, {}, { scheduled = 0, retry = 0 }
-- The first write removes something, so that tasks still run when the server is out of memory.
if count > 0 then
  for _, set in ipairs(waiting) do
    redis.call('ZREM', set, unpack(taken))
  end
  if hasDue then
    redis.call('ZREM', due, unpack(taken))
  end
end
-- The key that a task must enter has a wrong type: the task waits some seconds more and delays no other task.
local function putOff(taskId, state)
  redis.call('ZADD', state == 'retry' and retry or scheduled, math.ceil(now / 1000) + 5, taskId)
end
local mayRun, mayArchive, mayGroup = isSound(pending, 'list'), isSound(archived, 'zset'), isSound(groups, 'set')
local since, call, pcall = nowText .. '000000', redis.call, redis.pcall
for i = 1, count do
  local taskId = taken[i]
  local task = taskPrefix .. taskId
  -- An id without a task stays dropped: writing its state would create a stub that blocks the id (Q-21).
  if pcall('HEXISTS', task, 'msg') ~= 1 then
    local from = isRetried[i] and 'retry' or 'scheduled'
    lost[from] = lost[from] + 1
    isSound(task, 'hash')
  elseif mayRun and call('HLEN', task) == 2 then
    -- Its hash has only its message and its state.
    ready[#ready + 1] = taskId
    call('HSET', task, 'state', 'pending', 'pending_since', since)
  else
    local fields = redis.call('HMGET', task, 'group', 'x:cancel', 'unique_key', 'x:group', 'state')
    local group, cancelOutcome = fields[1] or '', fields[2]
    -- Our own field for the group applies to the first run only: a task that ran alone is retried alone.
    if group == '' and fields[5] == 'scheduled' then
      group = fields[4] or ''
    end
    if cancelOutcome and (cancelOutcome ~= 'archive' or mayArchive) then
      redis.call('HDEL', task, 'x:cancel')
    end
    -- A worker that does not know cancel outcomes put this canceled task here.
    if cancelOutcome == 'delete' then
      redis.call('DEL', task)
      releaseLock(fields[3] or '', taskId)
    elseif cancelOutcome == 'archive' then
      if mayArchive then
        archive[#archive + 1] = taskId
      else
        putOff(taskId, fields[5])
      end
    elseif group ~= '' and not (mayGroup and isSound(groupPrefix .. group, 'zset')) or group == '' and not mayRun then
      putOff(taskId, fields[5])
    elseif group ~= '' then
      grouped[#grouped + 1] = taskId
      redis.call('ZADD', groupPrefix .. group, math.floor(now / 1000), taskId)
      -- Nobody checks a group that is not listed (Q-10).
      redis.call('SADD', groups, group)
      redis.call('HSET', task, 'state', 'aggregating', 'group', group)
    else
      ready[#ready + 1] = taskId
      call('HSET', task, 'state', 'pending', 'pending_since', since)
    end
  end
end

if #archive > 0 then
  makeRoomInArchive(archived, taskPrefix, archiveLimits, #archive)
  for i = 1, #archive do
    redis.call('ZADD', archived, math.floor(now / 1000), archive[i])
    redis.call('HSET', taskPrefix .. archive[i], 'state', 'archived')
  end
end
if #ready > 0 and redis.call('LPUSH', pending, unpack(ready)) == #ready then
  -- A user without permission to publish must still be able to forward.
  redis.pcall('PUBLISH', wakeChannel, queue)
end

-- An exact time is never later than its score, so the earliest of all first members is the next due time.
local nextDue = math.huge
for _, set in ipairs(waiting) do
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  if first[2] then
    nextDue = math.min(nextDue, tonumber(first[2]) * 1000)
  end
end
local _
local page = hasDue and redis.call('ZRANGE', due, 0, 15, 'WITHSCORES') or {}
_, exactDueAts = exactDue(page)
if exactDueAts[1] then
  nextDue = math.min(nextDue, exactDueAts[1])
elseif #page > 0 then
  -- All were stale and are dropped: those that follow are due no earlier than the last of them.
  nextDue = math.min(nextDue, tonumber(page[#page]))
end
noteDropped('scheduled', lost.scheduled)
noteDropped('retry', lost.retry)
return withNotices({ #ready + #grouped, nextDue == math.huge and '' or string.format('%.0f', math.ceil(nextDue)) })
