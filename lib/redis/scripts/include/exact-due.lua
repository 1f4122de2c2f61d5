-- exact-due: which members of `due` still tell the due time of a task. A task that was moved by a process that does
-- not know the key leaves its member behind: one counts only while, rounded up to seconds, it is the score under which
-- the task waits in scheduled or retry. Needs notices before it.
--
-- exactDueOf(scheduled, retry, due) returns a function
--   exactDue(page)  page: task id, epoch milliseconds, and so on, as read from `due`; at most 1,000 members.
--                   Returns three arrays, of the ids of those that count, in the order of the page, of their epoch
--                   milliseconds, and of true for those that wait in retry. The others are removed.
local function exactDueOf(scheduled, retry, due)
  return function(page)
    local taskIds, dueAts, inRetry, members, stale = {}, {}, {}, {}, {}
    for i = 1, #page / 2 do
      members[i] = page[2 * i - 1]
    end
    if #members == 0 or not isSound(scheduled, 'zset') or not isSound(retry, 'zset') then
      return taskIds, dueAts, inRetry
    end
    local scheduledAt = redis.call('ZMSCORE', scheduled, unpack(members))
    local retryAt = redis.call('EXISTS', retry) == 1 and redis.call('ZMSCORE', retry, unpack(members)) or {}
    local found = 0
    for i = 1, #members do
      local dueAt = tonumber(page[2 * i])
      local second = math.ceil(dueAt / 1000)
      local isScheduled = tonumber(scheduledAt[i] or nil) == second
      if isScheduled or tonumber(retryAt[i] or nil) == second then
        found = found + 1
        taskIds[found], dueAts[found], inRetry[found] = members[i], dueAt, not isScheduled
      else
        stale[#stale + 1] = members[i]
      end
    end
    if #stale > 0 then
      redis.call('ZREM', due, unpack(stale))
    end
    return taskIds, dueAts, inRetry
  end
end
