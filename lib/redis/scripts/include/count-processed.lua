-- count-processed: counts ended runs, per UTC day and in total (P-28). Call it last. It never stops a script.
--
-- countProcessed(processedDay, processed, count, dayExpiresAt)
--   processedDay, processed  keys of the counters
--   count                    how many runs ended; nothing is written for 0
--   dayExpiresAt             epoch seconds; set only by the increment that creates the day's counter
-- Returns whether the total was at its maximum and started over, in which case the failed total must do the same; and
-- whether a counter could not be incremented, in which case its type must be checked.
local function countProcessed(processedDay, processed, count, dayExpiresAt)
  if count == 0 then
    return false, false
  end
  local today = redis.pcall('INCRBY', processedDay, count)
  if today == count then
    redis.pcall('EXPIREAT', processedDay, dayExpiresAt)
  end
  local total = redis.pcall('INCRBY', processed, count)
  if type(total) == 'number' then
    return false, type(today) ~= 'number'
  end
  if not string.find(total.err, 'overflow', 1, true) then
    return false, true
  end
  redis.pcall('SET', processed, count)
  return true, type(today) ~= 'number'
end
