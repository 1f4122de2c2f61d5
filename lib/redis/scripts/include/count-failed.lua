-- count-failed: counts runs that ended in a counted failure, as processed and as failed (P-28). Needs
-- count-processed and notices before it. Call it last. It never stops a script, and reports counters of a wrong type.
--
-- countFailed(counters, count, dayExpiresAt)
--   counters      processedDay, processed, failedDay, failed: keys
--   count         how many runs failed; nothing is written for 0
--   dayExpiresAt  epoch seconds
local function countFailed(counters, count, dayExpiresAt)
  if count == 0 then
    return
  end
  local beganAgain, isWrong = countProcessed(counters.processedDay, counters.processed, count, dayExpiresAt)
  local today, total = redis.pcall('INCRBY', counters.failedDay, count), count
  if today == count then
    redis.pcall('EXPIREAT', counters.failedDay, dayExpiresAt)
  end
  if beganAgain then
    redis.pcall('SET', counters.failed, count)
  else
    total = redis.pcall('INCRBY', counters.failed, count)
  end
  if isWrong or type(today) ~= 'number' or type(total) ~= 'number' then
    for _, key in pairs(counters) do
      isSound(key, 'string')
    end
  end
end
