-- delete-tasks: deletes the hashes of tasks that left the place of a state for good. A hash that names another state
-- stays: its id was left behind in the place (by an eviction, say) and belongs to another task by now.
--
-- deleteTasks(taskPrefix, taskIds, state)
--   taskIds   at most 1,000
--   state     what the hashes must say
-- Returns how many of the tasks had no hash any more.
local function deleteTasks(taskPrefix, taskIds, state)
  local hashes, missing = {}, 0
  for i = 1, #taskIds do
    local task = taskPrefix .. taskIds[i]
    local stored = redis.pcall('HGET', task, 'state')
    if stored == state then
      hashes[#hashes + 1] = task
    elseif not stored then
      missing = missing + 1
    end
  end
  if #hashes > 0 then
    redis.call('DEL', unpack(hashes))
  end
  return missing
end
