-- release-lock: frees a unique lock, but only if this very task holds it (Q-08).
--
-- releaseLock(lock, taskId)
--   lock    full key; '' when the task holds none
local function releaseLock(lock, taskId)
  if lock ~= '' and redis.pcall('GET', lock) == taskId then
    redis.call('DEL', lock)
  end
end
