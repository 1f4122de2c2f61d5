-- delete-tasks: deletes the hashes of tasks that have left the place of a state for good. A hash that names another
-- state is kept: its id was left behind in the place (after an eviction, for example) and now belongs to another task.
--
-- deleteTasks(taskPrefix, taskIds, state)
--   taskIds   at most 1,000
--   state     the state that the hashes must name
-- Returns how many of the tasks no longer had a hash.
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
