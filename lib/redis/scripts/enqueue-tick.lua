-- enqueue-tick: stores the task of one tick of a schedule and records the tick as used, both or neither.
--
-- KEYS[1]    ticks         hash   tick, epoch milliseconds -> its outcome and its task id; latest -> the latest tick;
--                                 task -> id of the last task stored; trimAt -> the tick at which to trim next
-- KEYS[2]    pending       list   task ids, newest at the left
-- KEYS[3]    scheduled     zset   task id -> due time, epoch seconds
-- KEYS[4]    retry         zset   task id -> due time, epoch seconds
-- KEYS[5]    due           zset   task id -> exact due time, epoch milliseconds
-- KEYS[6]    groups        set    names of groups with waiting tasks
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    groupPrefix   a group's key is this plus its name; built here, same hash slot
-- ARGV[3]    now           epoch milliseconds
-- ARGV[4]    pendingSince  epoch nanoseconds, decimal text
-- ARGV[5]    wakeChannel
-- ARGV[6]    dueChannel
-- ARGV[7]    queue
-- ARGV[8]    tick          epoch milliseconds
-- ARGV[9]    tickMemory    milliseconds: a tick older than the latest by more than this counts as used
-- ARGV[10]   ticksTtl      seconds for which the ticks are kept after the last one
-- ARGV[11]   overlap       allow or skip
-- ARGV[12]   taskIdIs      generated: nobody else has this task id; chosen: others may
-- ARGV[13..] tasks         the one task, seven fields: id; task message; place: pending, scheduled or aggregating; due
--                          time in epoch milliseconds, or empty; the group's name, or empty; lock: a full key in the
--                          same hash slot, or empty; lifetime of the lock in seconds
--
-- Reply      TAKEN         the tick was used before; nothing was written
--            Otherwise the tick is used now, or was by an earlier call with this very task:
--            ENQUEUED      the task is stored
--            OVERLAPS      the task of another tick has not ended, so none was stored
--            DUPLICATE     another task holds the lock, so none was stored
--            HELD          the lock is held by a task with this very id, so none was stored
--            CONFLICT      a task with this id already exists, so none was stored
--            WRONG_TYPE    a key of a wrong type is where it must be stored; nothing was written
-- Cost       O(log N), N tasks waiting in the sets; O(M) once per tickMemory, M ticks in twice that time
local ticks = KEYS[1]
local pending, scheduled, retry, due, groups = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local wakeChannel, dueChannel, queue = ARGV[5], ARGV[6], ARGV[7]
local tick, tickMemory, ticksTtl, overlap, taskIdIs = ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11], ARGV[12]
local taskId = ARGV[13]

-- include: notices
-- include: lock-holder
-- include: place-due
-- include: store-tasks

local noted, latest, earlierTask, trimAt = unpack(redis.call('HMGET', ticks, tick, 'latest', 'task', 'trimAt'))
if noted then
  local became, byTask = string.match(noted, '^(%u+) (.*)$')
  return taskIdIs == 'generated' and byTask == taskId and became or 'TAKEN'
end
-- Recorded by a process whose clock is far ahead, which must not keep the others from enqueueing.
local isAstray = latest and tonumber(latest) > now + tickMemory
if latest and not isAstray and tonumber(tick) < tonumber(latest) - tickMemory then
  return 'TAKEN'
end

local unended = { pending = true, scheduled = true, active = true, retry = true, aggregating = true }
local became = 'ENQUEUED'
if overlap == 'skip' and earlierTask and unended[redis.call('HGET', taskPrefix .. earlierTask, 'state')] then
  became = 'OVERLAPS'
else
  local refused = storeTasks({
    keys = { pending = pending, scheduled = scheduled, retry = retry, due = due, groups = groups },
    prefixes = { task = taskPrefix, group = groupPrefix },
    channels = { wake = wakeChannel, due = dueChannel },
    queue = queue,
    now = now,
    pendingSince = pendingSince,
  }, ARGV, 13)
  became = refused[2] or became
  if became == 'WRONG_TYPE' then
    return withNotices(became)
  end
end

redis.call('HSET', ticks, tick, became .. ' ' .. taskId)
if became == 'ENQUEUED' then
  redis.call('HSET', ticks, 'task', taskId)
end
if not latest or isAstray or tonumber(tick) > tonumber(latest) then
  redis.call('HSET', ticks, 'latest', tick)
  if not trimAt or isAstray or tonumber(tick) >= tonumber(trimAt) then
    -- Ticks shortly before the latest one so far are kept, since this tick may itself be far ahead.
    local trimBefore = math.min(tonumber(tick), tonumber(latest or tick)) - tickMemory
    -- One field at a time: there may be more than one call can take as arguments.
    for _, field in ipairs(redis.call('HKEYS', ticks)) do
      local instant = tonumber(field)
      if instant and instant < trimBefore then
        redis.call('HDEL', ticks, field)
      end
    end
    redis.call('HSET', ticks, 'trimAt', string.format('%.0f', tonumber(tick) + tickMemory))
  end
end
redis.call('EXPIRE', ticks, ticksTtl)
return withNotices(became)
