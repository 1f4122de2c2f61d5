-- exact-due: which members of `due` still tell the due time of a task. A task that was moved by a process that does
-- not know the key leaves its member behind: one counts only while, rounded up to seconds, it is the score under which
-- the task waits in scheduled or retry. Needs notices before it.
--
-- exactDueOf(scheduled, retry, due) returns a function
--   exactDue(page)  page: task id, epoch milliseconds, and so on, as read from `due`; at most 1,000 members.
--                   Returns an array of { taskId, dueAt, from } of those that count, in the order of the page; from is
--                   scheduled or retry. The others are removed.
local function exactDueOf(scheduled, retry, due)
  return function(page)
    local taskIds, valid, stale = {}, {}, {}
    for i = 1, #page, 2 do
      taskIds[#taskIds + 1] = page[i]
    end
    if #taskIds == 0 or not isSound(scheduled, 'zset') or not isSound(retry, 'zset') then
      return valid
    end
    local inScheduled = redis.call('ZMSCORE', scheduled, unpack(taskIds))
    local inRetry = redis.call('ZMSCORE', retry, unpack(taskIds))
    for i = 1, #taskIds do
      local dueAt = tonumber(page[2 * i])
      local second = math.ceil(dueAt / 1000)
      local isScheduled = tonumber(inScheduled[i] or nil) == second
      if isScheduled or tonumber(inRetry[i] or nil) == second then
        valid[#valid + 1] = { taskId = taskIds[i], dueAt = dueAt, from = isScheduled and 'scheduled' or 'retry' }
      else
        stale[#stale + 1] = taskIds[i]
      end
    end
    if #stale > 0 then
      redis.call('ZREM', due, unpack(stale))
    end
    return valid
  end
end
