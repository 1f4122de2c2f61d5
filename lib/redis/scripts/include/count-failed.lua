-- count-failed: counts runs that ended in a counted failure, as processed and as failed (P-28). Needs
-- count-processed before it. Call it last: it never stops a script.
--
-- countFailed(counters, count, dayExpiresAt)
--   counters      processedDay, processed, failedDay, failed: keys
--   count         how many runs failed; nothing is written for 0
--   dayExpiresAt  epoch seconds
local function countFailed(counters, count, dayExpiresAt)
  if count == 0 then
    return
  end
  local beganAgain = countProcessed(counters.processedDay, counters.processed, count, dayExpiresAt)
  if redis.pcall('INCRBY', counters.failedDay, count) == count then
    redis.pcall('EXPIREAT', counters.failedDay, dayExpiresAt)
  end
  if beganAgain then
    redis.pcall('SET', counters.failed, count)
  else
    redis.pcall('INCRBY', counters.failed, count)
  end
end
